"""unbound with local data: UDP and TCP, addresses of both kinds, what is not there, 8 clients."""
import dns
from apps import growing, together
from case import expect

CONFIGURATION = """
server:
    interface: 0.0.0.0
    port: 5353
    access-control: 0.0.0.0/0 allow
    username: ""
    chroot: ""
    directory: "/"
    pidfile: ""
    use-syslog: no
    do-daemonize: no
    num-threads: 2
    module-config: "iterator"
    local-zone: "a.test." static
    local-data: "a.test. A 1.2.3.4"
    local-data: "six.a.test. AAAA 2001:db8::1"
    local-data: 'words.a.test. TXT "some words"'
remote-control:
    control-enable: no
"""


def prepare(t):
    t.write("unbound.conf", CONFIGURATION)


def load(m):
    timeouts = growing()
    udp, tcp = m.udp_port[5353], m.port[5353]
    m.until(lambda: dns.ask(udp, "a.test", timeout=next(timeouts)))
    expect("A", dns.ask(udp, "a.test"), (0, [(dns.A, "1.2.3.4")]))
    expect("AAAA", dns.ask(udp, "six.a.test", dns.AAAA), (0, [(dns.AAAA, "2001:db8::1")]))
    expect("TXT", dns.ask(udp, "words.a.test", dns.TXT), (0, [(dns.TXT, b"\x0asome words")]))
    expect("not there", dns.ask(udp, "no.a.test")[0], 3)
    expect("over TCP", dns.ask_tcp(tcp, "a.test"), (0, [(dns.A, "1.2.3.4")]))

    def client(id):
        for _ in range(50):
            expect("A", dns.ask(udp, "A.test"), (0, [(dns.A, "1.2.3.4")]))
        expect("over TCP", dns.ask_tcp(tcp, "a.test"), (0, [(dns.A, "1.2.3.4")]))
    together(8, client)
