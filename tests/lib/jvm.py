"""What the tests of Java share: its little server (apps/data/H.java), and its questions."""
import hashlib
import os

from apps import DATA, Http, answers_http, http_load
from case import expect


def prepare(t):
    t.run("javac", "-d", ".", os.path.join(DATA, "H.java"))


def load(m):
    port = m.port[8080]
    m.until(answers_http(port))
    h = Http(port, 200)
    expect("processors", h.ask("/cpus")[1], b"%d" % m.cpus)
    expect("null pointers and a stack's end", h.ask("/traps")[1], b"1001")
    expect("threads", h.ask("/threads")[1], b"%d" % sum(i % 7 for i in range(2000000)))
    expect("a file", h.ask("/file")[1].decode(), hashlib.sha256(bytes(100000)).hexdigest())
    for _ in range(3):
        expect("200 MB of garbage", h.ask("/garbage")[1], b"2000 204800000")
    body = os.urandom(500000)
    expect("a post", h.ask("/post", "POST", body)[1].decode(), hashlib.sha256(body).hexdigest())
    http_load(port, {f"/{i}": (200, b"hello /%d" % i) for i in range(5)}, timeout=200)
