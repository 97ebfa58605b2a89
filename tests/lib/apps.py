"""tests/apps: real programs, unmodified, with real clients.  What the files there share.

A file there defines test(case, cpus), and cases(name) through both_sizes(): one case with one CPU, one with four.
"""
import http.client
import os
import shutil
import socket
import subprocess

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
        p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=timeout, text=True, **options)
    except subprocess.TimeoutExpired as e:
        raise Failure(f"{os.path.basename(argv[0])}: no end in {timeout} s", (e.stdout or b"").decode(errors="replace")[-2000:],
                      tail(case.path("console"))) from None
    if p.returncode:
        raise Failure(f"{os.path.basename(argv[0])}: exit status {p.returncode}", p.stdout[-2000:], tail(case.path("console")))
    return p.stdout


class Http:
    """One keep-alive connection."""

    def __init__(self, port, timeout=30):
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


def answers_http(port, path="/"):
    """A probe for Machine.until: one request on a connection of its own."""
    timeouts = growing()

    def probe():
        h = Http(port, next(timeouts))
        try:
            return h.ask(path)
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
