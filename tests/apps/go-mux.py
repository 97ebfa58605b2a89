"""A Go net/http server with gorilla/mux from Debian's packages: 64 clients, 10,000 requests, no failure."""
import fcntl
import hashlib
import os
import subprocess
import threading

from apps import DATA, Http, answers_http
from case import BUILD, Failure, Skip, expect, free_port
from machine import Linux, Machine

CLIENTS, REQUESTS = 64, 10000


def build():
    """Compile the server once, offline, with Debian's Go."""
    out, source = os.path.join(BUILD, "tests", "go-mux-server"), os.path.join(DATA, "server.go")
    go = "/usr/lib/go/bin/go"
    if not os.path.exists(go) or not os.path.isdir("/usr/share/gocode/src/github.com/gorilla/mux"):
        raise Skip("Debian's Go or gorilla/mux is not installed (make deps installs them)")
    os.makedirs(os.path.dirname(out), exist_ok=True)
    with open(out + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(out) or os.path.getmtime(out) < os.path.getmtime(source):
            environment = dict(os.environ, GOPATH="/usr/share/gocode", GO111MODULE="off", GOFLAGS="", GOROOT="/usr/lib/go",
                               GOCACHE=os.path.join(BUILD, "tests", "go-cache"), CGO_ENABLED="0", GOTOOLCHAIN="local")
            p = subprocess.run([go, "build", "-p", "1", "-o", out, source], env=environment, capture_output=True)
            if p.returncode:
                raise Failure("go build failed", p.stderr.decode(errors="replace"))
    return out


def questions(port):
    h = Http(port)
    body = os.urandom(16) * 100000
    return {
        "hello": h.ask("/hello/world")[:2],
        "not found": h.ask("/absent")[:2],
        "wrong method": h.ask("/sum")[:1],
        "work": h.ask("/work/5")[:2],
        "a nil pointer": h.ask("/panic")[:2],
        "sum": h.ask("/sum", "POST", body)[1] == f"{len(body)} {hashlib.sha256(body).hexdigest()} <nil>\n".encode(),
    }


def load(port):
    """Failures of CLIENTS clients that together send REQUESTS requests."""
    failures = []

    def client(id):
        h = Http(port, 60)
        for i in range(id, REQUESTS, CLIENTS):
            try:
                if h.ask(f"/hello/n{i}")[:2] != (200, f"hello, n{i}\n".encode()):
                    failures.append(f"request {i}: another answer")
            except OSError as e:
                failures.append(f"request {i}: {e}")
                return
            if i % 1000 == id:
                h.close()
    threads = [threading.Thread(target=client, args=(i,)) for i in range(CLIENTS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return failures


def test(case, cpus):
    server = build()
    port = free_port()
    with Linux(case, [server, str(port)], {port: port}) as m:
        m.until(answers_http(port, "/hello/x"))
        linux = questions(port)
    with Machine(case, [server, "8080"], ports=[8080], cpus=cpus, memory="256M") as m:
        port = m.port[8080]
        m.until(answers_http(port, "/hello/x"))
        for question, answer in questions(port).items():
            expect(question, answer, linux[question])
        expect("failed requests", load(port)[:3], [])
        served = int(Http(port).ask("/served")[1])
        if served < REQUESTS:
            raise Failure(f"{served} served, {REQUESTS} asked")
        expect("the server sees", m.text().splitlines()[0], f"listening {cpus}")
