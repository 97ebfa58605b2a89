"""node: a web server with timers, worker threads, files and hashes."""
import hashlib
import os

from apps import DATA, Http, answers_http, http_load
from case import expect


def prepare(t):
    with open(os.path.join(DATA, "server.js")) as f:
        t.write("app.js", f.read())


def load(m):
    m.until(answers_http(m.port[8080]))
    h = Http(m.port[8080], 60)
    expect("hello", h.ask("/x")[:2], (200, b"hello from node /x"))
    expect("a timer", h.ask("/later")[1], b"later")
    expect("a file", h.ask("/file")[1].decode(), hashlib.sha256(b"x" * 100000).hexdigest())
    expect("a worker", h.ask("/work")[1], str(sum(i % 7 for i in range(10 ** 6))).encode())
    body = os.urandom(500000)
    expect("a post", h.ask("/", "POST", body)[1].decode(), hashlib.sha256(body).hexdigest())
    http_load(m.port[8080], {f"/{i}": (200, b"hello from node /%d" % i) for i in range(10)}, 16, 3)
