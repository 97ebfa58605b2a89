"""stunnel: TLS at its front, a server on the host behind; 8 clients."""
import proxy
from apps import Http, http_load
from case import expect

behind = None


def prepare(t):
    global behind
    behind = proxy.server()
    t.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-keyout", "key.pem", "-out", "cert.pem",
          "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    t.write("stunnel.conf", f"foreground = yes\npid =\n[web]\naccept = 0.0.0.0:8443\nconnect = {behind}\n"
                            f"cert = {t.file('cert.pem')}\nkey = {t.file('key.pem')}\n")


def load(m):
    port, ca = m.port[8443], m.folder.file("cert.pem")
    m.until(lambda: Http(port, 20, ca=ca).ask("/"))

    def one(path):
        h = Http(port, 60, ca=ca)
        answer = h.ask(path)[:2]
        h.close()
        return answer
    expect("over TLS", one("/x"), (200, b"page /x"))
    http_load(port, {f"/{i}": (200, b"page /%d" % i) for i in range(3)}, rounds=3, ca=ca)
