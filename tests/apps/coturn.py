"""coturn as a STUN server: binding requests over UDP and TCP (RFC 8489)."""
import os
import socket
import struct

from apps import growing, together
from case import expect

MAGIC = 0x2112A442


def prepare(t):
    t.write("turn.conf", "listening-ip=0.0.0.0\nlistening-port=3478\nno-tls\nno-dtls\nno-auth\nlog-file=stdout\nsimple-log\n"
            "pidfile=/tmp/turn.pid\nuserdb=/tmp/turndb\nno-cli\n")


def binding(exchange):
    """Asks once; what the server says our address is."""
    id = os.urandom(12)
    answer = exchange(struct.pack(">HHI", 1, 0, MAGIC) + id)
    kind, size, magic = struct.unpack_from(">HHI", answer)
    expect("a binding response", (kind, magic, answer[8:20] == id), (0x101, MAGIC, True))
    at = 20
    while at < 20 + size:
        attribute, length = struct.unpack_from(">HH", answer, at)
        if attribute == 0x20:
            return socket.inet_ntoa(struct.pack(">I", struct.unpack_from(">I", answer, at + 8)[0] ^ MAGIC))
        at += 4 + (length + 3) // 4 * 4
    return None


def load(m):
    timeouts = growing()

    def udp(timeout=20):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(timeout)
            s.connect(("127.0.0.1", m.udp_port[3478]))
            return binding(lambda q: (s.send(q), s.recv(2000))[1])

    def tcp():
        with socket.create_connection(("127.0.0.1", m.port[3478]), 20) as s:
            return binding(lambda q: (s.sendall(q), s.recv(2000))[1])
    m.until(lambda: udp(next(timeouts)))
    expect("our address, as it sees it", (udp(), tcp()), ("10.0.2.2", "10.0.2.2"))
    together(8, lambda id: [expect("our address", udp(), "10.0.2.2") for _ in range(20)])
