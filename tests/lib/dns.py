"""DNS questions and answers (RFC 1035), as far as the tests of name servers need them."""
import socket
import struct

A, NS, CNAME, SOA, TXT, AAAA = 1, 2, 5, 6, 16, 28


def question(name, kind=A, id=0x1234):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.rstrip(".").split("."))
    return struct.pack(">HHHHHH", id, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)


def skip_name(data, at):
    while data[at]:
        if data[at] & 0xc0:
            return at + 2
        at += data[at] + 1
    return at + 1


def answers(data):
    """(response code, [(kind, data)]); addresses as text."""
    id, flags, n_questions, n_answers, _, _ = struct.unpack_from(">HHHHHH", data)
    at = 12
    for _ in range(n_questions):
        at = skip_name(data, at) + 4
    found = []
    for _ in range(n_answers):
        at = skip_name(data, at)
        kind, _, _, size = struct.unpack_from(">HHIH", data, at)
        value = data[at + 10:at + 10 + size]
        found.append((kind, socket.inet_ntop(socket.AF_INET if kind == A else socket.AF_INET6, value)
                      if kind in (A, AAAA) else value))
        at += 10 + size
    return flags & 15, found


def ask(port, name, kind=A, timeout=20):
    """Over UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.sendto(question(name, kind), ("127.0.0.1", port))
        return answers(s.recv(4096))


def ask_tcp(port, name, kind=A, timeout=20):
    q = question(name, kind)
    with socket.create_connection(("127.0.0.1", port), timeout) as s:
        s.sendall(struct.pack(">H", len(q)) + q)
        with s.makefile("rb") as f:
            size, = struct.unpack(">H", f.read(2))
            return answers(f.read(size))
