"""What the tests that serve apps/data/flaskapp.py share."""
import hashlib
import os

from apps import DATA, Http, answers_http, http_load
from case import expect


def prepare(t):
    with open(os.path.join(DATA, "flaskapp.py")) as f:
        t.write("flaskapp.py", f.read())


def load(m):
    port = m.port[8080]
    m.until(answers_http(port, "/hello/x"))
    h = Http(port, 120)
    body = os.urandom(300000)
    expect("a template", h.ask("/template")[:2], (200, b"0,1,4,9,16,&lt;b&gt;"))
    expect("JSON", b"".join(h.ask("/json?a=b")[1].split()), b'{"answer":42,"arguments":{"a":"b"}}')
    expect("a post", h.ask("/post", "POST", body)[1].decode(), hashlib.sha256(body).hexdigest())
    expect("an error", h.ask("/error")[0], 500)
    expect("not there", h.ask("/absent")[0], 404)
    status, text, headers = h.ask("/count")
    expect("a session", (text, h.ask("/count", headers={"Cookie": headers["set-cookie"].split(";")[0]})[1]), (b"1", b"2"))
    expect("a stream", h.ask("/stream")[1], b"".join(b"line %d\n" % i for i in range(1000)))
    http_load(port, {f"/hello/{i}": (200, b"hello, %d" % i) for i in range(5)}, rounds=5)
