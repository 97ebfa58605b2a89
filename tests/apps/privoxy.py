"""privoxy between 8 clients and a server on the host: GET, CONNECT, a server that is down."""
import proxy
from apps import answers_http

behind = None


def prepare(t):
    global behind
    behind = proxy.server()
    t.write("privoxy.conf", "listen-address 0.0.0.0:8118\nlogdir /tmp\nconfdir /etc/privoxy\ntempldir /etc/privoxy/templates\n")


def load(m):
    m.until(answers_http(m.port[8118], f"http://{behind}/", 200))
    proxy.load(m.port[8118], behind)
