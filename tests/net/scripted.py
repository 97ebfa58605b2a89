"""Raw frames into a machine and out of it: what each RFC says must be answered, and what must not be."""
import os
import socket
import struct
import subprocess
import time

from case import Case, Failure, tail
from wire import GUEST, HOST, MAC, arguments, compiled

US, PEER = bytes.fromhex(MAC.replace(":", "")), bytes.fromhex("525400780001")
A4, B4 = socket.inet_aton(GUEST), socket.inet_aton(HOST)
A6 = bytes.fromhex("fe80000000000000") + bytes([US[0] ^ 2]) + US[1:3] + b"\xff\xfe" + US[3:]
B6 = socket.inet_pton(socket.AF_INET6, "fe80::1")
SOLICITED = bytes.fromhex("ff0200000000000000000001ff") + A6[13:]


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ether(kind, payload, to=US):
    return to + PEER + struct.pack("!H", kind) + payload


def ip4(protocol, payload, ident=1, field=0, ttl=64, options=b"", bad=0, source=B4, to=A4, length=None):
    h = struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, length or 20 + len(options) + len(payload), ident, field, ttl,
                    protocol, 0, source, to) + options
    return ether(0x800, h[:10] + struct.pack("!H", checksum(h) ^ bad) + h[12:] + payload)


def ip6(next_header, payload, hops=64, source=B6, to=A6, version=6, length=None):
    group = b"\x33\x33" + to[12:] if to[0] == 255 else US
    return ether(0x86dd, struct.pack("!IHBB", version << 28, len(payload) if length is None else length, next_header, hops)
                 + source + to + payload, group)


def icmp(kind, code=0, rest=b"\0\1\0\1ping", bad=0):
    data = bytes([kind, code, 0, 0]) + rest
    return data[:2] + struct.pack("!H", checksum(data) ^ bad) + data[4:]


def sum6(protocol, data, at, source=B6, to=A6, bad=0):
    total = checksum(source + to + struct.pack("!II", len(data), protocol) + data) ^ bad
    return data[:at] + struct.pack("!H", total) + data[at + 2:]


def icmp6(kind, code=0, rest=b"\0\1\0\1ping", **how):
    return sum6(58, bytes([kind, code, 0, 0]) + rest, 2, **how)


def udp(port=7, data=b"hello", length=None):
    return struct.pack("!HHHH", 1234, port, length or 8 + len(data), 0) + data


def udp6(port=7, data=b"hello", **how):
    return sum6(17, udp(port, data), 6, **how)


def fragment(offset, more, payload, next_header=17, ident=5):
    return ip6(44, struct.pack("!BBHI", next_header, 0, offset | more, ident) + payload)


def arp(operation=1, target=A4, sender=B4, kind=1):
    return ether(0x806, struct.pack("!HHBBH6s4s6s4s", kind, 0x800, 6, 4, operation, PEER, sender, b"", target), b"\xff" * 6)


def solicit(target=A6, to=SOLICITED, source=B6, hops=255, option=b"\1\1" + PEER, code=0, bad=0):
    return ip6(58, icmp6(135, code, b"\0" * 4 + target + option, source=source, to=to, bad=bad), hops, source, to)


def is_arp(f):
    return f[12:14] == b"\x08\x06" and f[20:22] == b"\0\2"


def is4(protocol, start=b""):
    return lambda f: f[12:14] == b"\x08\0" and f[23] == protocol and f[34:].startswith(start)


def is6(protocol, start=b""):
    return lambda f: f[12:14] == b"\x86\xdd" and f[20] == protocol and f[54:].startswith(start)


ECHO4, ECHO6, ADVERT = is4(1, b"\0\0"), is6(58, b"\x81\0"), is6(58, b"\x88\0")
BACK4, BACK6 = is4(17, b"\0\x07"), is6(17, b"\0\x07")
long6 = udp6(data=b"x" * 32)


def options(kind):
    return bytes([58, 0, kind, 4, 0, 0, 0, 0])


# name with its section, frames, what answers; or ("not", ...): what must not
CASES = [
    ("RFC 826 request", [arp()], is_arp),
    ("RFC 826 for another", [arp(target=b"\x0a\x4e\0\x09")], ("not", is_arp)),
    ("RFC 826 hardware type", [arp(kind=7)], ("not", is_arp)),
    ("RFC 5227 2.1.1 probe of our address", [arp(sender=b"\0" * 4)], is_arp),
    ("RFC 792 echo", [ip4(1, icmp(8))], ECHO4),
    ("RFC 1122 3.2.2 bad checksum", [ip4(1, icmp(8, bad=1))], ("not", ECHO4)),
    ("RFC 1122 3.2.1.2 bad header checksum", [ip4(1, icmp(8), bad=1)], ("not", ECHO4)),
    ("RFC 791 total length beyond the frame", [ip4(1, icmp(8), length=900)], ("not", ECHO4)),
    ("RFC 791 total length below the header", [ip4(1, icmp(8), length=19)], ("not", ECHO4)),
    ("RFC 1122 3.2.1.3 group as source", [ip4(1, icmp(8), source=b"\xe0\0\0\5")], ("not", ECHO4)),
    ("RFC 1122 3.2.1.3 loopback as destination", [ip4(1, icmp(8), to=b"\x7f\0\0\1")], ("not", ECHO4)),
    ("RFC 791 no operation", [ip4(1, icmp(8), options=b"\1\1\1\0")], ECHO4),
    ("RFC 1122 3.2.1.8 source route", [ip4(1, icmp(8), options=b"\x83\3\4\0")], ("not", ECHO4)),
    ("RFC 791 option of length 0", [ip4(1, icmp(8), options=b"\x44\0\0\0")], ("not", ECHO4)),
    ("RFC 1122 3.2.2.1 unknown protocol", [ip4(99, b"x" * 8)], is4(1, b"\3\2")),
    ("RFC 791 fragments", [ip4(1, icmp(8, rest=b"\0\1\0\1" + b"x" * 16)[:16], 9, 0x2000),
                           ip4(1, icmp(8, rest=b"\0\1\0\1" + b"x" * 16)[16:], 9, 2)], ECHO4),
    ("RFC 792 ICMPv6 over IPv4", [ip4(58, icmp(128))], ("not", is4(58))),
    ("RFC 768 echo", [ip4(17, udp())], BACK4),
    ("RFC 768 length beyond", [ip4(17, udp(length=99))], ("not", BACK4)),
    ("RFC 768 length below 8", [ip4(17, udp(length=7))], ("not", BACK4)),
    ("RFC 1122 4.1.3.1 closed port", [ip4(17, udp(9))], is4(1, b"\3\3")),
    ("RFC 4861 7.2.3 solicitation", [solicit()], ADVERT),
    ("RFC 4861 7.2.3 to our address", [solicit(to=A6)], ADVERT),
    ("RFC 4862 5.4.3 duplicate detection of ours", [solicit(source=b"\0" * 16, option=b"")], ADVERT),
    ("RFC 4861 7.1.1 hop limit", [solicit(hops=254)], ("not", ADVERT)),
    ("RFC 4861 7.1.1 code", [solicit(code=1)], ("not", ADVERT)),
    ("RFC 4861 7.1.1 checksum", [solicit(bad=1)], ("not", ADVERT)),
    ("RFC 4861 7.1.1 option of length 0", [solicit(option=b"\1\0" + PEER)], ("not", ADVERT)),
    ("RFC 4861 7.1.1 option beyond", [solicit(option=b"\1\2" + PEER)], ("not", ADVERT)),
    ("RFC 4861 7.1.1 nameless with address", [solicit(source=b"\0" * 16)], ("not", ADVERT)),
    ("RFC 4861 7.2.3 for another", [solicit(target=B6)], ("not", ADVERT)),
    ("RFC 4443 4.1 echo", [ip6(58, icmp6(128))], ECHO6),
    ("RFC 4443 2.3 bad checksum", [ip6(58, icmp6(128, bad=1))], ("not", ECHO6)),
    ("RFC 8200 3 version", [ip6(58, icmp6(128), version=5)], ("not", ECHO6)),
    ("RFC 8200 3 length beyond", [ip6(58, icmp6(128), length=99)], ("not", ECHO6)),
    ("RFC 4291 2.7 group as source", [ip6(58, icmp6(128, source=SOLICITED), source=SOLICITED)], ("not", ECHO6)),
    ("RFC 8200 4.6 destination options", [ip6(60, options(1) + icmp6(128))], ECHO6),
    ("RFC 8200 4.2 unknown option, skip", [ip6(60, options(0x1e) + icmp6(128))], ECHO6),
    ("RFC 8200 4.2 unknown option, drop", [ip6(60, options(0x5e) + icmp6(128))], ("not", ECHO6)),
    ("RFC 8200 4.2 unknown option, complain", [ip6(60, options(0x9e) + icmp6(128))], is6(58, b"\4\2")),
    ("RFC 5095 routing header", [ip6(43, b"\x3a\0\0\1\0\0\0\0" + icmp6(128))], is6(58, b"\4\0")),
    ("RFC 8200 4.1 nine headers", [ip6(60, b"\x3c" + options(1)[1:] + (b"\x3c" + options(1)[1:]) * 8 + options(1) + icmp6(128))],
     ("not", ECHO6)),
    ("RFC 8200 4.7 no next header", [ip6(59, icmp6(128))], ("not", ECHO6)),
    ("RFC 4443 3.4 unknown next header", [ip6(99, b"x" * 8)], is6(58, b"\4\1")),
    ("RFC 768 echo over IPv6", [ip6(17, udp6())], BACK6),
    ("RFC 8200 8.1 no checksum", [ip6(17, udp())], ("not", BACK6)),
    ("RFC 4443 3.1 closed port", [ip6(17, udp6(9))], is6(58, b"\1\4")),
    ("RFC 8200 4.5 fragments", [fragment(0, 1, long6[:24]), fragment(24, 0, long6[24:])], BACK6),
    ("RFC 8200 4.5 fragments in disorder", [fragment(24, 0, long6[24:], ident=6), fragment(0, 1, long6[:24], ident=6)], BACK6),
    ("RFC 6946 atomic fragment", [fragment(0, 0, long6, ident=7)], BACK6),
    ("RFC 5722 overlap", [fragment(0, 1, long6[:24], ident=8), fragment(16, 0, long6[16:], ident=8)], ("not", BACK6)),
    ("RFC 8200 4.5 odd length", [fragment(0, 1, long6[:23], ident=9), fragment(24, 0, long6[24:], ident=9)], ("not", BACK6)),
]


class Frames:
    """The other end of the machine's wire."""

    def __init__(self, path, to):
        self.socket, self.to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), to
        self.socket.bind(path)

    def send(self, frame):
        self.socket.sendto(frame.ljust(60, b"\0"), self.to)

    def answer(self, frame):
        """Neighbour questions about us, which are no part of a case."""
        if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1" and frame[38:42] == B4:
            self.send(arp(2))
        elif is6(58, b"\x87")(frame) and frame[62:78] == B6:
            self.send(ip6(58, icmp6(136, 0, b"\x60\0\0\0" + B6 + b"\2\1" + PEER), 255))

    def wait(self, wanted, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                frame = self.socket.recv(65536)
            except TimeoutError:
                break
            self.answer(frame)
            if wanted(frame):
                return frame
        return None


def one(frames, sent, wanted):
    """True: as it should be.  What must not be answered is followed by a ping that is: order tells, not time."""
    for frame in sent:
        frames.send(frame)
    if not isinstance(wanted, tuple):
        return frames.wait(wanted, 10) is not None
    mark = os.urandom(8)
    frames.send(ip4(1, icmp(8, rest=b"\0\2\0\2" + mark)))
    seen = frames.wait(lambda f: wanted[1](f) or mark in f, 10)
    return seen is not None and mark in seen


def run(case):
    program = compiled(case, "echo", "-static")
    ours, theirs = (f"/tmp/mote-frames-{os.getpid()}-{side}" for side in "qr")
    failed = []
    frames = Frames(theirs, ours)
    with open(case.path("console"), "wb") as out:
        machine = subprocess.Popen(arguments([program], ours, theirs), stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        end = time.monotonic() + 40
        while "ready" not in tail(case.path("console")):
            if time.monotonic() > end:
                raise Failure("the guest does not start", tail(case.path("console")))
            frames.wait(lambda f: False, 0.1)
        frames.wait(lambda f: False, 1.5)      # duplicate detection is over
        for name, sent, wanted in CASES:
            if not one(frames, sent, wanted):
                failed.append(name)
    finally:
        machine.kill()
        machine.wait()
        for path in (ours, theirs):
            if os.path.exists(path):
                os.unlink(path)
    print(len(CASES), "cases,", len(failed), "failed")
    if failed:
        raise Failure(f"{len(failed)} of {len(CASES)} cases", "\n".join(failed))


def cases(name):
    return [Case(name, run, 120)]
