"""dnsmasq as a name server: UDP and TCP, 8 clients."""
import dns
from apps import growing, together
from case import expect


def load(m):
    timeouts = growing()
    udp, tcp = m.udp_port[5353], m.port[5353]
    m.until(lambda: dns.ask(udp, "a.test", timeout=next(timeouts)))
    expect("A", dns.ask(udp, "x.a.test"), (0, [(dns.A, "1.2.3.4")]))
    expect("of /etc/hosts", dns.ask(udp, "localhost"), (0, [(dns.A, "127.0.0.1")]))
    expect("refused", dns.ask(udp, "elsewhere.example")[0], 5)

    def client(id):
        for i in range(50):
            expect("A", dns.ask(udp, f"x{i}.a.test"), (0, [(dns.A, "1.2.3.4")]))
    together(8, client)
