"""Jetty 9 with its modules, an application of JSP and static files, 8 clients."""
import os
import zipfile

from apps import Http, answers_http, http_load
from case import expect

FILE = bytes(range(256)) * 2000


def prepare(t):
    os.makedirs(t.file("jt/webapps"))
    t.write("jt/start.ini", "--module=http\n--module=deploy\n--module=webapp\n--module=server\njetty.http.port=8080\n")
    with zipfile.ZipFile(t.file("jt/webapps/app.war"), "w") as war:
        war.writestr("WEB-INF/web.xml", '<web-app xmlns="http://xmlns.jcp.org/xml/ns/javaee" version="3.1"></web-app>')
        war.writestr("index.html", "<p>here I am</p>")
        war.writestr("file.bin", FILE)


def load(m):
    port = m.port[8080]
    m.until(answers_http(port, "/app/index.html", 200))
    h = Http(port, 300)
    expect("a page", h.ask("/app/index.html")[:2], (200, b"<p>here I am</p>"))
    expect("a part of a file", h.ask("/app/file.bin", headers={"Range": "bytes=256-511"})[:2], (206, FILE[256:512]))
    expect("what is not there", h.ask("/app/absent")[0], 404)
    http_load(port, {"/app/index.html": (200, b"<p>here I am</p>"), "/app/file.bin": (200, FILE)}, timeout=300)
