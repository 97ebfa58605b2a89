"""tests/apps: real programs, unmodified, with real clients.  What the files there share.

A file there defines test(case, cpus), and cases(name) through both_sizes(): one case with one CPU, one with four.
"""
import http.client
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time

from case import TESTS, Case, Failure, Skip, expect, tail

DATA = os.path.join(TESTS, "apps", "data")


def both_sizes(test, name, timeout=120, slow_with_4=False):
    """NAME/1cpu and NAME/4cpus."""
    return [Case(f"{name}/{cpus}cpu{'s' * (cpus > 1)}", lambda case, cpus=cpus: test(case, cpus), timeout,
                 slow=slow_with_4 and cpus > 1) for cpus in (1, 4)]


def program(name, package):
    """Where the program is; a skip when it is not installed."""
    path = shutil.which(name, path="/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin")
    if not path:
        raise Skip(f"{name} is not installed (make deps installs {package})")
    return path


def on_linux(case, argv, **options):
    """Run to the end on this Linux; (exit status, output), as machine.run gives it."""
    p = subprocess.run(argv, cwd=case.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, **options)
    return p.returncode, p.stdout


def same_answers(mote, linux):
    """Both are dicts of answers by question."""
    for question, answer in linux.items():
        expect(f"{question}", mote.get(question), answer)


def client(case, argv, timeout=60, **options):
    """Run a client program on the host; its output. A failure when it fails."""
    try:
        p = subprocess.run(argv, **({} if "input" in options else {"stdin": subprocess.DEVNULL}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=timeout, text=True, **options)
    except subprocess.TimeoutExpired as e:
        raise Failure(f"{os.path.basename(argv[0])}: no end in {timeout} s", (e.stdout or b"").decode(errors="replace")[-2000:],
                      tail(case.path("console"))) from None
    if p.returncode:
        raise Failure(f"{os.path.basename(argv[0])}: exit status {p.returncode}", p.stdout[-2000:], tail(case.path("console")))
    return p.stdout


class Http:
    """One keep-alive connection; with CA, a certificate's file, over TLS to the name LOCALHOST."""

    def __init__(self, port, timeout=30, ca=None):
        if ca:
            self.connection = http.client.HTTPSConnection("localhost", port, timeout=timeout,
                                                          context=ssl.create_default_context(cafile=ca))
        else:
            self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def ask(self, path, method="GET", body=None, headers={}):
        """(status, body, headers)."""
        try:
            self.connection.request(method, path, body=body, headers=headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}
        except http.client.HTTPException as e:
            self.connection.close()
            raise ConnectionError(f"{type(e).__name__}: {e}") from e

    def close(self):
        self.connection.close()


def growing(start=0.2, end=10):
    """Time limits for a probe: a packet to a machine that still starts is lost, and sent again only seconds later."""
    while True:
        yield start
        start = min(start * 1.5, end)


def answers_http(port, path="/", status=None):
    """A probe for Machine.until: one request on a connection of its own; STATUS, if another one means "not yet"."""
    timeouts = growing()

    def probe():
        h = Http(port, next(timeouts))
        try:
            answer = h.ask(path)
            if status and answer[0] != status:
                raise ConnectionError(f"{path}: status {answer[0]}")
            return answer
        finally:
            h.close()
    return probe


class Line:
    """A TCP connection that speaks lines (redis, memcached)."""

    def __init__(self, port, timeout=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.file = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        text = self.file.readline()
        if not text:
            raise EOFError("the connection ended")
        return text.rstrip(b"\r\n")

    def exactly(self, n):
        data = self.file.read(n)
        if len(data) != n:
            raise EOFError("the connection ended")
        return data

    def close(self):
        self.file.close()
        self.socket.close()


def together(n, work, patience=300):
    """WORK(0) to WORK(n - 1) at the same time; a failure when one of them fails."""
    wrong = []

    def one(i):
        try:
            work(i)
        except Exception as e:
            wrong.append(f"client {i}: {type(e).__name__}: {e}")
    threads = [threading.Thread(target=one, args=(i,), daemon=True) for i in range(n)]
    for t in threads:
        t.start()
    end = time.monotonic() + patience
    for t in threads:
        t.join(max(0, end - time.monotonic()))
    expect("clients without an end", sum(t.is_alive() for t in threads), 0)
    expect(f"failures of {n} clients", wrong[:3], [])


def http_load(port, questions, clients=8, rounds=10, timeout=120, **options):
    """QUESTIONS: {path: (status, body)}, asked by each client in turn on a connection of its own."""
    def client(id):
        h = Http(port, timeout, **options)
        for i in range(rounds):
            for path, answer in questions.items():
                expect(f"{path}, round {i}", h.ask(path)[:2], answer)
        h.close()
    together(clients, client)


def datagram_probe(port, question, check):
    """A probe for Machine.until: a datagram, and whether the answer is one."""
    timeouts = growing()

    def probe():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(next(timeouts))
            s.sendto(question, ("127.0.0.1", port))
            check(s.recv(4096))
    return probe


def connects(port, greeting=None):
    """A probe: a connection that the program accepts, and what it says first or answers to GREETING's question."""
    timeouts = growing()

    def probe():
        s = socket.create_connection(("127.0.0.1", port), next(timeouts))
        with s:
            if greeting:
                s.sendall(greeting)
            data = s.recv(4096)
            if not data:
                raise EOFError("the connection ended")
            return data
    return probe
