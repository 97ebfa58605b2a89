"""What the tests of authoritative name servers share: a zone, and the questions to it."""
import dns
from apps import growing, together
from case import expect

ZONE = """$TTL 300
@ IN SOA ns.a.test. admin.a.test. 1 3600 600 86400 300
  IN NS ns
ns IN A 1.2.3.1
@ IN A 1.2.3.4
www IN CNAME @
six IN AAAA 2001:db8::1
words IN TXT "some words"
""" + "".join(f"host{i} IN A 10.1.0.{i}\n" for i in range(1, 201))


def load(m):
    timeouts = growing()
    udp, tcp = m.udp_port[5353], m.port[5353]

    def loaded():
        if dns.ask(udp, "a.test", timeout=next(timeouts))[0]:
            raise ConnectionError("the zone is not loaded yet")
    m.until(loaded)
    expect("A", dns.ask(udp, "a.test"), (0, [(dns.A, "1.2.3.4")]))
    expect("CNAME", dns.ask(udp, "www.a.test")[1][1], (dns.A, "1.2.3.4"))
    expect("AAAA", dns.ask(udp, "six.a.test", dns.AAAA), (0, [(dns.AAAA, "2001:db8::1")]))
    expect("TXT", dns.ask(udp, "words.a.test", dns.TXT), (0, [(dns.TXT, b"\x0asome words")]))
    expect("not there", dns.ask(udp, "no.a.test")[0], 3)
    expect("not ours", dns.ask(udp, "elsewhere.example")[0], 5)

    def client(id):
        for i in range(1, 51):
            expect("A", dns.ask(udp, f"host{i}.a.test"), (0, [(dns.A, f"10.1.0.{i}")]))
        expect("over TCP", dns.ask_tcp(tcp, "a.test"), (0, [(dns.A, "1.2.3.4")]))
    together(8, client)
