"""What the tests of forward proxies share: a server on the host, and 8 clients that ask for it through the proxy."""
import http.server
import socket
import threading

from apps import Http, together
from case import expect, free_port


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"page {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def server():
    """Where the machine finds it."""
    s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=s.serve_forever, daemon=True).start()
    return f"10.0.2.2:{s.server_port}"


def load(port, behind):
    expect("a server that is down", Http(port, 60).ask(f"http://10.0.2.2:{free_port()}/")[0] in (500, 502, 503, 504), True)
    expect("a name that is none", Http(port, 60).ask("http://nowhere.invalid/")[0] in (404, 500, 502, 503, 504), True)

    def client(id):
        for i in range(10):
            expect("GET", Http(port, 60).ask(f"http://{behind}/{id}/{i}")[:2], (200, f"page /{id}/{i}".encode()))
        with socket.create_connection(("127.0.0.1", port), 60) as s, s.makefile("rb") as f:
            s.sendall(f"CONNECT {behind} HTTP/1.0\r\n\r\n".encode())
            expect("CONNECT", f.readline().split()[1], b"200")
            while f.readline().strip():
                pass
            s.sendall(b"GET /tunnel HTTP/1.0\r\n\r\n")
            expect("through the tunnel", f.read().endswith(b"page /tunnel"), True)
    together(8, client)
