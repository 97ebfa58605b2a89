"""What the tests of servers of one folder share: a listing, files, a range; 8 clients."""
from apps import Http, answers_http, http_load
from case import expect

FILES = {f"/file{n}": bytes([n]) * n * 50000 for n in range(1, 5)}


def prepare(t):
    for name, data in FILES.items():
        t.write(f"www{name}", data)


def load(m):
    port = m.port[8080]
    m.until(answers_http(port))
    h = Http(port, 60)
    status, body, _ = h.ask("/")
    expect("a listing", (status, [n for n in FILES if n[1:].encode() not in body]), (200, []))
    expect("a range", h.ask("/file2", headers={"Range": "bytes=10-19"})[:2], (206, b"\2" * 10))
    expect("not there", h.ask("/absent")[0], 404)
    http_load(port, {name: (200, data) for name, data in FILES.items()}, rounds=5)
