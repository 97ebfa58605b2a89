"""tinyproxy between 8 clients and a server on the host: GET, CONNECT, a server that is down."""
import proxy
from apps import answers_http

behind = None


def prepare(t):
    global behind
    behind = proxy.server()
    t.write("tiny.conf", "Port 8888\nListen 0.0.0.0\nTimeout 60\nAllow 0.0.0.0/0\nMaxClients 50\nLogLevel Warning\n")


def load(m):
    m.until(answers_http(m.port[8888], f"http://{behind}/", 200))
    proxy.load(m.port[8888], behind)
