"""Debian's socat: a UDP echo, datagrams of many sizes; and a TCP echo."""
import socket

from apps import both_sizes, growing, program
from case import expect
from machine import Machine


def test(case, cpus):
    socat = program("socat", "socat")
    with Machine(case, [socat, "UDP-LISTEN:5354,bind=0.0.0.0,reuseaddr", "PIPE"], udp=[5354], cpus=cpus) as m:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.connect(("127.0.0.1", m.udp_port[5354]))
        timeouts = growing()

        def ask(data):
            s.send(data)
            return s.recv(70000)

        def probe():
            s.settimeout(next(timeouts))
            ask(b"are you there?")
        m.until(probe)
        s.settimeout(0.2)
        try:        # answers to impatient questions
            while True:
                s.recv(70000)
        except TimeoutError:
            pass
        s.settimeout(10)
        for size in (1, 2, 100, 512, 1000, 1400, 1472):
            expect(f"{size} bytes", ask(bytes([size % 251]) * size) == bytes([size % 251]) * size, True)
        for i in range(200):
            expect(f"datagram {i}", ask(b"datagram %d" % i), b"datagram %d" % i)
    with Machine(case, [socat, "-d", "-d", "TCP-LISTEN:5355,bind=0.0.0.0,reuseaddr", "PIPE"], ports=[5355], cpus=cpus,
                 console="console-tcp") as m:
        def listens():
            if "listening on" not in m.text():
                raise ConnectionError("socat does not listen yet")
        m.until(listens)        # it serves one connection, so none can be spent on asking
        c = socket.create_connection(("127.0.0.1", m.port[5355]), 20)
        for i in range(50):
            c.sendall(b"%04d" % i)
            expect("echo", c.recv(4, socket.MSG_WAITALL), b"%04d" % i)
        c.close()
        expect("socat ends with its connection", m.wait(20), 0)


def cases(name):
    return both_sizes(test, name, 60)
