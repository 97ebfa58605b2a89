"""BIND's named, authoritative for a zone: UDP and TCP, aliases, what is not there, 8 clients."""
import dns
from apps import growing, together
from case import expect

CONFIGURATION = """
options { directory "/tmp"; listen-on port 5353 { any; }; listen-on-v6 { none; }; recursion no; pid-file none;
          session-keyfile none; dnssec-validation no; allow-query { any; }; };
controls { };
zone "a.test" { type primary; file "ZONE"; };
"""
ZONE = """$TTL 300
@ IN SOA ns.a.test. admin.a.test. 1 3600 600 86400 300
  IN NS ns
ns IN A 1.2.3.1
@ IN A 1.2.3.4
www IN CNAME @
six IN AAAA 2001:db8::1
words IN TXT "some words"
$GENERATE 1-200 host$ A 10.1.0.$
"""


def prepare(t):
    t.write("zone", ZONE)
    t.write("named.conf", CONFIGURATION.replace("ZONE", t.file("zone")))


def load(m):
    timeouts = growing()
    udp, tcp = m.udp_port[5353], m.port[5353]
    m.until(lambda: dns.ask(udp, "a.test", timeout=next(timeouts)))
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
