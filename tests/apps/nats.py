"""nats-server: 8 subscribers, wildcards, queues, request and reply."""
from apps import Line, growing, together
from case import expect


def connect(port, timeout=60):
    c = Line(port, timeout)
    if not c.line().startswith(b"INFO "):
        raise ConnectionError("no greeting")
    c.send(b'CONNECT {"verbose":false,"echo":true}\r\nPING\r\n')
    expect("PONG", c.line(), b"PONG")
    return c


def load(m):
    port = m.port[4222]
    timeouts = growing()
    m.until(lambda: connect(port, next(timeouts)).close())
    listeners = [connect(port) for _ in range(8)]
    for c in listeners:
        c.send(b"SUB news.* 1\r\nSUB work group 2\r\nPING\r\n")
        expect("PONG", c.line(), b"PONG")
    speaker = connect(port)
    speaker.send(b"".join(b"PUB news.x %d\r\nitem %d\r\n" % (len(b"item %d" % i), i) for i in range(200)) + b"PING\r\n")
    expect("PONG", speaker.line(), b"PONG")

    def listen(id):
        for i in range(200):
            expect("a message", (listeners[id].line(), listeners[id].line()),
                   (b"MSG news.x 1 %d" % len(b"item %d" % i), b"item %d" % i))
    together(8, listen)
    speaker.send(b"PUB work 4\r\nonce\r\nPUB news.end 3\r\nend\r\nPING\r\n")
    expect("PONG", speaker.line(), b"PONG")
    got = []
    for c in listeners:
        while (line := c.line()) != b"end":
            got.append(line)
    expect("one of the group got it", got.count(b"once"), 1)
    big = b"x" * 500000
    speaker.send(b"SUB big 3\r\nPUB big %d\r\n%s\r\n" % (len(big), big))
    expect("a large message", (speaker.line(), speaker.exactly(len(big)) == big), (b"MSG big 3 500000", True))
