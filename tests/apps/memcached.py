"""Debian's memcached with two threads: text protocol, large values, many clients; UDP as well."""
import socket

from apps import Line, growing, together
from case import expect


def talk(m, text, lines=1):
    m.send(text)
    return [m.line() for _ in range(lines)]


def ready(port):
    timeouts = growing()

    def probe():
        m = Line(port, next(timeouts))
        try:
            assert talk(m, b"version\r\n")[0].startswith(b"VERSION ")
        finally:
            m.close()
    return probe


def worker(port, id):
    m = Line(port)
    for i in range(100):
        value = b"%d-%d" % (id, i) * 20
        expect("set", talk(m, b"set k%d-%d 0 0 %d\r\n%s\r\n" % (id, i, len(value), value)), [b"STORED"])
    for i in range(100):
        expect("get", talk(m, b"get k%d-%d\r\n" % (id, i), 3)[1], b"%d-%d" % (id, i) * 20)
    m.close()


def load(machine):
    port = machine.port[11211]
    machine.until(ready(port))
    m = Line(port)
    expect("set", talk(m, b"set a 5 0 3\r\nabc\r\n"), [b"STORED"])
    expect("get", talk(m, b"get a\r\n", 3), [b"VALUE a 5 3", b"abc", b"END"])
    expect("get absent", talk(m, b"get absent\r\n"), [b"END"])
    expect("add", talk(m, b"add a 0 0 1\r\nx\r\n"), [b"NOT_STORED"])
    expect("append", talk(m, b"append a 0 0 2\r\nde\r\n"), [b"STORED"])
    expect("incr", talk(m, b"set n 0 0 2\r\n41\r\nincr n 1\r\n", 2), [b"STORED", b"42"])
    expect("delete", talk(m, b"delete a\r\n"), [b"DELETED"])
    big = bytes(i * 7 % 256 for i in range(1000000))
    expect("a large value", talk(m, b"set big 0 0 %d\r\n%s\r\n" % (len(big), big)), [b"STORED"])
    m.send(b"get big\r\n")
    expect("its header", m.line(), b"VALUE big 0 1000000")
    expect("its bytes", m.exactly(len(big)) == big, True)
    m.line(), m.line()
    together(16, lambda id: worker(port, id))
    m.send(b"stats\r\n")
    stats = {}
    while (line := m.line()) != b"END":
        stats[line.split()[1]] = line.split()[2]
    expect("threads", stats[b"threads"], b"2")
    expect("items", stats[b"curr_items"], b"1602")
    m.close()
    datagrams(machine)


def datagrams(machine):
    """The same server over UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(20)

        def ask(text):
            s.sendto(b"\x12\x34\0\0\0\1\0\0" + text, ("127.0.0.1", machine.udp_port[11211]))
            return s.recv(2000)[8:]
        expect("set over UDP", ask(b"set u 0 0 2\r\nok\r\n"), b"STORED\r\n")
        expect("get over UDP", ask(b"get u\r\n"), b"VALUE u 0 2\r\nok\r\nEND\r\n")
