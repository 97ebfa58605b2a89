"""squid without its helpers, between 8 clients and a server on the host: GET, CONNECT, what it keeps in memory."""
import proxy
from apps import Http, answers_http
from case import expect

CONFIGURATION = """http_port 0.0.0.0:3128
acl all_ports port 1-65535
http_access allow all
visible_hostname mote
cache_mem 16 MB
pid_filename none
pinger_enable off
cache_log stdio:/dev/stderr
access_log none
coredump_dir /tmp
shutdown_lifetime 1 seconds
"""
behind = None


def prepare(t):
    global behind
    behind = proxy.server()
    t.write("squid.conf", CONFIGURATION)


def load(m):
    port = m.port[3128]
    m.until(answers_http(port, f"http://{behind}/", 200))
    proxy.load(port, behind)
    expect("its own page", Http(port, 60).ask("/squid-internal-mgr/info")[0] in (200, 404), True)
    status, _, headers = Http(port, 60).ask(f"http://{behind}/cached")
    expect("said by whom", (status, "squid" in headers["via"]), (200, True))
