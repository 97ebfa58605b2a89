"""haproxy between its clients and two servers on the host: round robin, headers, a server that is down, statistics."""
import http.server
import threading

from apps import Http, answers_http, http_load
from case import expect

CONFIGURATION = """
global
    maxconn 200
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend front
    bind 0.0.0.0:8080
    http-request set-header X-Through haproxy
    acl is_static path_beg /static
    http-request return status 200 content-type text/plain string "from haproxy" if is_static
    use_backend down if { path /down }
    default_backend hosts
backend hosts
    balance roundrobin
    server a 10.0.2.2:PORT0
    server b 10.0.2.2:PORT1
backend down
    server none 127.0.0.1:9
frontend statistics
    bind 0.0.0.0:8081
    stats enable
    stats uri /
"""
servers = []


class Backend(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = f"{self.path} {self.headers['X-Through']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Server", str(self.server.server_port))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def prepare(t):
    text = CONFIGURATION
    for n in range(2):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        text = text.replace(f"PORT{n}", str(server.server_port))
    t.write("haproxy.cfg", text)


def load(m):
    port = m.port[8080]
    m.until(answers_http(port, "/static"))
    h = Http(port, 60)
    seen = {h.ask(f"/{i}")[2]["x-server"] for i in range(4)}
    expect("servers that answered", seen, {str(s.server_port) for s in servers})
    expect("a server that is down", h.ask("/down")[0], 503)
    http_load(port, {"/page": (200, b"/page haproxy"), "/static": (200, b"from haproxy")})
    status, body, _ = Http(m.port[8081], 60).ask("/;csv")
    rows = [line.split(",") for line in body.decode().splitlines()]
    front = next(r for r in rows if r[:2] == ["front", "FRONTEND"])
    expect("statistics", (status, front[rows[0].index("hrsp_5xx")]), (200, "1"))
