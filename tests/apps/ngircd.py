"""ngIRCd: 8 people in a channel, each hears the others."""
from apps import Line, growing, together
from case import expect


def prepare(t):
    t.write("ngircd.conf", "[Global]\nName = irc.a.test\nInfo = a test\nListen = 0.0.0.0\nServerUID = 0\nServerGID = 0\n"
            "[Options]\nIdent = no\nDNS = no\nPAM = no\nSyslogFacility = local1\nChrootDir =\n[Limits]\nMaxConnectionsIP = 0\n")


def enter(port, name, timeout=60):
    c = Line(port, timeout)
    c.send(f"NICK {name}\r\nUSER {name} 0 * :{name}\r\n".encode())
    until(c, b" 001 ")
    return c


def until(c, text):
    while True:
        line = c.line()
        if line.startswith(b"PING"):
            c.send(line.replace(b"PING", b"PONG", 1) + b"\r\n")
        elif text in line:
            return line


def load(m):
    port, n = m.port[6667], 8
    timeouts = growing(1)
    m.until(lambda: enter(port, "probe", next(timeouts)).close())
    people = [enter(port, f"p{i}") for i in range(n)]
    for c in people:
        c.send(b"JOIN #room\r\n")
        until(c, b" 366 ")
    people[0].send(b"NAMES #room\r\n")
    expect("all are there", sum(b"p%d" % i in until(people[0], b" 353 ") for i in range(1)), 1)

    def talk(id):
        for i in range(10):
            people[id].send(b"PRIVMSG #room :%d-%d\r\n" % (id, i))
        heard = set()
        while len(heard) < 10 * (n - 1):
            heard.add(until(people[id], b"PRIVMSG #room").split(b":")[-1])
        expect("heard", heard, {b"%d-%d" % (a, b) for a in range(n) if a != id for b in range(10)})
    together(n, talk)
