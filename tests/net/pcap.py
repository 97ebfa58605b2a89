"""mote run --pcap: what the card sent and received, and nothing in it that tshark calls malformed."""
import os
import shutil
import socket
import subprocess

from apps import answers_http, program
from case import Case, Failure, Skip, expect
from machine import Machine


def tshark(case, wanted, *fields):
    """The lines tshark prints of frames that match."""
    # QEMU's user network offers no offloads: every checksum in the file is a real one.
    p = subprocess.run([shutil.which("tshark"), "-r", case.path("run.pcap"), "-o", "tcp.check_checksum:TRUE",
                        "-o", "ip.check_checksum:TRUE", "-Y", wanted, "-T", "fields", *(word for f in fields for word in ("-e", f))],
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60)
    expect("tshark's status", p.returncode, 0)
    return p.stdout.splitlines()


def load(port):
    probe = answers_http(port, "/index.html")
    for _ in range(20):
        status, body, _ = probe()
        expect("status", status, 200)
        expect("length", len(body), 300_000)
    # Data into a connection that is reset, half a request, a port that is closed.
    for end in (b"GET / HTTP/1.1\r\n", b"", b"nonsense\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port), 20) as s:
            s.sendall(end)


def run(case):
    if not shutil.which("tshark"):
        raise Skip("tshark is not installed (make deps installs tshark)")
    nginx = program("nginx", "nginx-light")
    with open(case.path("nginx.conf"), "w") as f:
        f.write("daemon off; master_process off; error_log stderr; pid /tmp/nginx.pid; user root; events {}\n"
                "http { access_log off; sendfile on; tcp_nopush on; client_body_temp_path /tmp/b; proxy_temp_path /tmp/p;"
                " fastcgi_temp_path /tmp/f; uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s;"
                " server { listen 8080; root /www; } }\n")
    with open(case.path("index.html"), "wb") as f:
        f.write(os.urandom(300_000))
    files = [word for here, there in (("nginx.conf", "/etc/nginx.conf"), ("index.html", "/www/index.html"))
             for word in ("-f", f"{case.path(here)}:{there}")]
    with Machine(case, [nginx, "-c", "/etc/nginx.conf", "-e", "stderr"], ports=[8080],
                 options=["--pcap", case.path("run.pcap"), *files]) as m:
        m.until(answers_http(m.port[8080], "/index.html"))
        load(m.port[8080])
    frames = tshark(case, "frame", "frame.number")
    print(len(frames), "frames")
    if len(frames) < 200:
        raise Failure(f"only {len(frames)} frames were recorded")
    malformed = tshark(case, "_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || _ws.expert.severity == 8388608",
                       "frame.number", "_ws.expert.message")
    expect("malformed frames", malformed[:5], [])


def cases(name):
    return [Case(name, run, 120)]
