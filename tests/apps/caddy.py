"""Caddy with certificates of its own authority: HTTPS with HTTP/1.1 and 2, a file, a redirection, a proxy; 8 clients."""
import os

from apps import Http, answers_http, client, http_load
from case import expect, Failure

CONFIGURATION = """{
    admin off
    auto_https disable_redirects
    skip_install_trust
    storage file_system /tmp/caddy
    local_certs
    default_sni localhost
    pki {
        ca local {
            root {
                cert ROOT/ca.pem
                key ROOT/ca.key
            }
        }
    }
}
https://localhost:8443 {
    respond /hello "hello over TLS"
    reverse_proxy /through 127.0.0.1:8080
    file_server {
        root ROOT/www
    }
}
http://:8080 {
    respond /through "behind"
    redir /old /new
    respond "plain"
}
"""
FILE = bytes(range(256)) * 8000


def prepare(t):
    t.write("www/file.bin", FILE)
    t.write("Caddyfile", CONFIGURATION.replace("ROOT", t.path))
    t.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
          "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=tests of mote", "-addext", "basicConstraints=critical,CA:true",
          "-addext", "keyUsage=critical,keyCertSign,cRLSign")


def load(m):
    plain, port, ca = m.port[8080], m.port[8443], m.folder.file("ca.pem")
    m.until(answers_http(plain))
    h = Http(plain, 60)
    status, _, headers = h.ask("/old")
    expect("a redirection", (status, headers["location"]), (302, "/new"))
    m.until(lambda: Http(port, 30, ca=ca).ask("/hello"))
    h = Http(port, 60, ca=ca)
    expect("over TLS", h.ask("/hello")[:2], (200, b"hello over TLS"))
    expect("a file", h.ask("/file.bin")[1] == FILE, True)
    expect("through to itself", h.ask("/through")[:2], (200, b"behind"))
    seen = client(m.case, ["curl", "-s", "--http2", "--cacert", ca, "-w", "%{http_version}", f"https://localhost:{port}/hello"])
    expect("HTTP/2", seen, "hello over TLS2")
    http_load(port, {"/hello": (200, b"hello over TLS"), "/file.bin": (200, FILE)}, rounds=3, ca=ca)
