"""What the tests of little servers in lua and perl share: they answer one connection after the other."""
import os

from apps import Http, answers_http, together
from case import expect


def load(m):
    port = m.port[8080]
    m.until(answers_http(port))
    body = os.urandom(100000).hex().encode()
    expect("a post", Http(port, 60).ask("/post", "POST", body)[:2], (200, b"%d" % len(body)))
    expect("sorted", Http(port, 60).ask("/sort")[1], b"1 100000")
    expect("a file", Http(port, 60).ask("/file")[1], b"200000")

    def client(id):
        for i in range(10):
            expect("hello", Http(port, 60).ask(f"/{id}/{i}")[:2], (200, f"hello /{id}/{i}".encode()))
    together(8, client)
