"""Debian's nginx: files of 0 B to 50 MB, keep-alive, HEAD, ranges, what is not there; as on Linux."""
import hashlib
import os
import random
import threading

from apps import Http, answers_http, program
from case import Failure, expect, free_port
from machine import Linux, Machine

SIZES = (0, 1, 612, 4095, 4096, 4097, 65536, 100000, 1000003, 50 << 20)
CONFIGURATION = """
daemon off; master_process off; pid /tmp/nginx.pid; error_log stderr error; user root;
events { worker_connections 512; }
http {
    access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000; default_type text/plain;
    client_body_temp_path /tmp/nginx-body; proxy_temp_path /tmp/nginx-proxy; fastcgi_temp_path /tmp/nginx-fastcgi;
    uwsgi_temp_path /tmp/nginx-uwsgi; scgi_temp_path /tmp/nginx-scgi;
    server { listen 0.0.0.0:PORT; root ROOT; autoindex on; location /echo { return 200 "$request_method $args"; } }
}
"""


def files(folder):
    """Make the files; {path: sha256}."""
    os.makedirs(folder)
    sums = {}
    for size in SIZES:
        data = random.Random(size).randbytes(size)
        with open(f"{folder}/{size}", "wb") as f:
            f.write(data)
        sums[f"/{size}"] = hashlib.sha256(data).hexdigest()
    return sums


def command(case, nginx, port, name):
    path = case.path(name)
    with open(path, "w") as f:
        f.write(CONFIGURATION.replace("PORT", str(port)).replace("ROOT", case.path("www")))
    return [nginx, "-e", "stderr", "-c", path]


def questions(port):
    """The same for both; what may differ (dates, tags) is left out."""
    h, found = Http(port), {}
    for what, options in {
        "/612": {}, "/0": {}, "/absent": {}, "/echo?a=1&b=2": {}, "/../../etc/passwd": {}, "/%2e%2e/": {},
        "/612 HEAD": {"method": "HEAD"}, "/612 POST": {"method": "POST", "body": b"x" * 1000},
        "/100000 range": {"headers": {"Range": "bytes=1000-1999"}},
        "/100000 suffix range": {"headers": {"Range": "bytes=-5"}},
        "/100000 two ranges": {"headers": {"Range": "bytes=0-0,5-6"}},
        "/100000 bad range": {"headers": {"Range": "bytes=200000-"}},
    }.items():
        status, body, headers = h.ask(what.split()[0], **options)
        if headers.get("content-type", "").startswith("multipart"):
            body = b"..."
        found[what] = (status, body[:200], len(body) if body != b"..." else 0,
                       {k: headers.get(k) for k in ("content-length", "content-range", "server", "connection")
                        if body != b"..."})
    return found


def download(port, path):
    status, body, _ = Http(port, 60).ask(path)
    return status, hashlib.sha256(body).hexdigest()


def test(case, cpus):
    nginx = program("nginx", "nginx-light")
    sums = files(case.path("www"))
    port = free_port()
    with Linux(case, command(case, nginx, port, "linux.conf"), {port: port}) as m:
        m.until(answers_http(port, "/612"))
        linux = questions(port)
    argv = command(case, nginx, 8080, "nginx.conf")
    with Machine(case, argv, ports=[8080], cpus=cpus, memory="256M",
                 options=["-f", case.path("www"), "-f", argv[-1]]) as m:
        m.until(answers_http(m.port[8080], "/612"))
        found = questions(m.port[8080])
        for what, answer in linux.items():
            expect(what, found[what], answer)
        h = Http(m.port[8080], 60)
        for path, wanted in sums.items():
            status, body, _ = h.ask(path)
            expect(path, (status, hashlib.sha256(body).hexdigest()), (200, wanted))
        for _ in range(200):
            expect("keep-alive", h.ask("/612")[0], 200)
        several(m.port[8080], sums)
        h.close()
        stopped = m.stop()
    if stopped not in (0, 143):
        raise Failure(f"nginx ended with status {stopped} after SIGTERM")


def several(port, sums):
    """Eight clients at once, each with files of several sizes."""
    wrong = []

    def worker():
        for path in ("/612", "/1000003", "/4097", "/65536"):
            try:
                if download(port, path) != (200, sums[path]):
                    wrong.append(path)
            except OSError as e:
                wrong.append(f"{path}: {e}")
    threads = [threading.Thread(target=worker) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    expect("files that came wrong", wrong, [])
