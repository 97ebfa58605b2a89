"""apache2 -X, one process with 25 threads: files, ranges, rewriting, a proxy to itself, server status."""
from apps import Http, answers_http, http_load
from case import expect

FILE = bytes(range(256)) * 4000
MODULES = "mpm_event authn_core authz_core alias rewrite proxy proxy_http status deflate filter mime dir headers autoindex"
CONFIGURATION = """ServerRoot /tmp
PidFile /tmp/apache.pid
ServerName localhost
Listen 0.0.0.0:8080
User www-data
Group www-data
ErrorLog /dev/stderr
TypesConfig /dev/null
DocumentRoot WWW
<Directory WWW>
    Require all granted
    Options Indexes
</Directory>
AddOutputFilterByType DEFLATE text/plain
AddType text/plain txt
ProxyPass /through/ http://127.0.0.1:8080/sub/
<Location /status>
    SetHandler server-status
</Location>
RewriteEngine on
RewriteRule ^/old/(.*)$ /sub/$1 [PT]
Header set X-From apache
"""


def prepare(t):
    modules = "".join(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so\n" for m in MODULES.split())
    t.write("apache.conf", modules + CONFIGURATION.replace("WWW", t.file("www")))
    t.write("www/file.bin", FILE)
    t.write("www/sub/page.txt", "a page" * 100)


def load(m):
    port = m.port[8080]
    m.until(answers_http(port, "/sub/page.txt", 200))
    h = Http(port, 60)
    expect("a range", h.ask("/file.bin", headers={"Range": "bytes=256-511"})[:2], (206, FILE[256:512]))
    status, body, headers = h.ask("/sub/page.txt", headers={"Accept-Encoding": "gzip"})
    expect("compressed", (status, headers["content-encoding"], headers["x-from"], len(body) < 100), (200, "gzip", "apache", True))
    expect("rewritten", h.ask("/old/page.txt")[:2], (200, b"a page" * 100))
    expect("through to itself", h.ask("/through/page.txt")[:2], (200, b"a page" * 100))
    expect("a listing", b"page.txt" in h.ask("/sub/")[1], True)
    expect("status", b"Total Accesses" in h.ask("/status?auto")[1], True)
    expect("not there", h.ask("/absent")[0], 404)
    http_load(port, {"/sub/page.txt": (200, b"a page" * 100), "/file.bin": (200, FILE)})
