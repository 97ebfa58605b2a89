"""tor without a network: its control port, its own figures."""
from apps import Line, growing
from case import expect


def ask(c, text):
    c.send(text + b"\r\n")
    lines = [c.line()]
    while lines[-1][3:4] != b" ":
        lines.append(c.line())
    return lines


def prepare(t):
    password = t.run("tor", "--hash-password", "secret").decode().splitlines()[-1]
    t.write("torrc", f"DisableNetwork 1\nSocksPort 0\nControlPort 0.0.0.0:9051\nDataDirectory /tmp/tor\nHashedControlPassword {password}\n")


def load(m):
    port = m.port[9051]
    timeouts = growing()

    def enter(timeout=60):
        c = Line(port, timeout)
        expect("AUTHENTICATE", ask(c, b'AUTHENTICATE "secret"'), [b"250 OK"])
        return c
    m.until(lambda: enter(next(timeouts)).close())
    c = enter()
    expect("version", ask(c, b"GETINFO version")[0].startswith(b"250-version=0."), True)
    expect("process", ask(c, b"GETINFO process/pid")[0], b"250-process/pid=1")
    expect("a service", ask(c, b"ADD_ONION NEW:ED25519-V3 Flags=DiscardPK Port=80")[-1], b"250 OK")
    expect("set", ask(c, b"SETCONF MaxCircuitDirtiness=700"), [b"250 OK"])
    expect("get", ask(c, b"GETCONF MaxCircuitDirtiness"), [b"250 MaxCircuitDirtiness=700"])
    expect("what is none", ask(c, b"NONSENSE")[0][:3], b"510")
    c.send(b"SIGNAL SHUTDOWN\r\n")
    expect("its end", m.wait(60), 0)
