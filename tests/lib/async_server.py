"""The questions to the event-driven servers of Python."""
import hashlib
import os

from apps import Http, answers_http, http_load
from case import expect


def load(m):
    port = m.port[8080]
    m.until(answers_http(port))
    h = Http(port, 60)
    body = os.urandom(300000)
    expect("a post", h.ask("/", "POST", body)[1].decode(), hashlib.sha256(body).hexdigest())
    expect("a thread", h.ask("/thread")[1], b"hello %d" % sum(i % 7 for i in range(100000)))
    http_load(port, {"/later": (200, b"hello later")}, rounds=3)
    http_load(port, {f"/{i}": (200, b"hello %d" % i) for i in range(5)}, rounds=5)
