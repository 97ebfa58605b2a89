"""socat echoes datagrams of many sizes to the one who sent the first."""
import socket

from apps import growing
from case import expect


def load(m):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", m.udp_port[5354]))
        timeouts = growing()

        def echo(data, timeout=20):
            s.settimeout(timeout)
            s.send(data)
            return s.recv(70000)
        m.until(lambda: echo(b"are you there?", next(timeouts)))
        s.settimeout(0.2)
        try:        # answers to impatient questions
            while True:
                s.recv(70000)
        except TimeoutError:
            pass
        for size in (1, 2, 100, 512, 1000, 1400, 1472):
            expect(f"{size} bytes", echo(bytes([size % 251]) * size) == bytes([size % 251]) * size, True)
        for i in range(200):
            expect(f"datagram {i}", echo(b"datagram %d" % i), b"datagram %d" % i)
