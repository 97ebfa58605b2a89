"""lighttpd in the foreground: files, ranges, a listing, redirections; 8 clients."""
from apps import Http, answers_http, http_load
from case import expect

FILE = bytes(range(256)) * 4000
CONFIGURATION = """server.document-root = "WWW"
server.port = 8080
server.bind = "0.0.0.0"
server.modules = ("mod_redirect", "mod_setenv", "mod_dirlisting", "mod_rewrite")
server.upload-dirs = ("/tmp")
dir-listing.activate = "enable"
setenv.add-response-header = ("X-From" => "lighttpd")
url.redirect = ("^/moved$" => "/elsewhere")
url.rewrite-once = ("^/old/(.*)" => "/sub/$1")
mimetype.assign = (".txt" => "text/plain", "" => "application/octet-stream")
"""


def prepare(t):
    t.write("lighttpd.conf", CONFIGURATION.replace("WWW", t.file("www")))
    t.write("www/file.bin", FILE)
    t.write("www/sub/page.txt", "a page" * 100)


def load(m):
    port = m.port[8080]
    m.until(answers_http(port, "/sub/page.txt", 200))
    h = Http(port, 60)
    expect("a range", h.ask("/file.bin", headers={"Range": "bytes=256-511"})[:2], (206, FILE[256:512]))
    expect("a header", h.ask("/sub/page.txt")[2]["x-from"], "lighttpd")
    expect("rewritten", h.ask("/old/page.txt")[:2], (200, b"a page" * 100))
    expect("a redirection", h.ask("/moved")[0], 301)
    expect("a listing", b"page.txt" in h.ask("/sub/")[1], True)
    expect("not there", h.ask("/absent")[0], 404)
    http_load(port, {"/sub/page.txt": (200, b"a page" * 100), "/file.bin": (200, FILE)})
