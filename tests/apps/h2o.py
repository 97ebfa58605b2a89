"""h2o, which wants a helper process for its backtraces, and serves without one: files, HTTP/1 and 2, a proxy."""
from apps import Http, answers_http, client, http_load
from case import expect

FILE = bytes(range(256)) * 4000
CONFIGURATION = """
num-threads: 2
user: root
hosts:
  default:
    listen:
      port: 8080
      host: 0.0.0.0
    paths:
      /:
        file.dir: WWW
      /through:
        proxy.reverse.url: http://127.0.0.1:8080/sub
      /moved:
        redirect: /elsewhere
"""


def prepare(t):
    t.write("h2o.conf", CONFIGURATION.replace("WWW", t.file("www")))
    t.write("www/file.bin", FILE)
    t.write("www/sub/page.txt", "a page")


def load(m):
    port = m.port[8080]
    m.until(answers_http(port, "/sub/page.txt", 200))
    h = Http(port, 60)
    expect("a range", h.ask("/file.bin", headers={"Range": "bytes=256-511"})[:2], (206, FILE[256:512]))
    expect("through to itself", h.ask("/through/page.txt")[:2], (200, b"a page"))
    expect("a redirection", h.ask("/moved")[0], 302)
    expect("not there", h.ask("/absent")[0], 404)
    expect("HTTP/2", client(m.case, ["curl", "-s", "--http2-prior-knowledge", "-w", "%{http_version}",
                                     f"http://127.0.0.1:{port}/sub/page.txt"]), "a page2")
    http_load(port, {"/sub/page.txt": (200, b"a page"), "/file.bin": (200, FILE)})
