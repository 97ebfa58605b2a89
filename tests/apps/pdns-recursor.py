"""The PowerDNS recursor with a zone of its own, in threads: UDP and TCP, 8 clients."""
import dns
from apps import growing, together
from case import expect

ZONE = """$TTL 300
@ IN SOA ns.a.test. admin.a.test. 1 3600 600 86400 300
@ IN NS ns.a.test.
@ IN A 1.2.3.4
www IN CNAME a.test.
six IN AAAA 2001:db8::1
"""


def prepare(t):
    t.write("zone", ZONE)
    t.write("recursor.conf", f"local-address=0.0.0.0\nlocal-port=5353\nthreads=2\ndaemon=no\nauth-zones=a.test={t.file('zone')}\n"
            "allow-from=0.0.0.0/0\nsocket-dir=/tmp\nhint-file=\ndnssec=off\nwrite-pid=no\ndisable-syslog=yes\nsecurity-poll-suffix=\n")


def load(m):
    timeouts = growing()
    udp, tcp = m.udp_port[5353], m.port[5353]
    m.until(lambda: dns.ask(udp, "a.test", timeout=next(timeouts)))
    expect("A", dns.ask(udp, "a.test"), (0, [(dns.A, "1.2.3.4")]))
    expect("CNAME", dns.ask(udp, "www.a.test")[1][-1], (dns.A, "1.2.3.4"))
    expect("AAAA", dns.ask(udp, "six.a.test", dns.AAAA), (0, [(dns.AAAA, "2001:db8::1")]))
    expect("not there", dns.ask(udp, "no.a.test")[0], 3)

    def client(id):
        for i in range(30):
            expect("A", dns.ask(udp, "a.test"), (0, [(dns.A, "1.2.3.4")]))
        expect("over TCP", dns.ask_tcp(tcp, "a.test"), (0, [(dns.A, "1.2.3.4")]))
    together(8, client)
