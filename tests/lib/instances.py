"""tests/tools: instances in the background, in a state folder of the case's own."""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time

import machine
from case import MOTE, TESTS, Failure

SERVER = os.path.join(TESTS, "tools", "server.c")


class Instances:
    """A context manager: at the end nothing of it runs, and nothing may be left."""

    def __init__(self, case):
        self.case = case
        self.home = case.path("data")
        self.environment = dict(machine.environment(), XDG_DATA_HOME=self.home)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        names = self.names("-a")
        if names:
            self("rm", "-f", *names)
        if kind is None:
            self.nothing_left()

    def __call__(self, *words, status=0, timeout=120, **options):
        """The output of `mote WORDS`; a failure when its status is another."""
        p = subprocess.run([MOTE, *map(str, words)], env=self.environment, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, **options)
        if p.returncode != status:
            raise Failure(f"mote {words[0]}: exit status {p.returncode}, not {status}", (p.stdout + p.stderr).decode())
        return p.stdout.decode() + ("" if status == 0 else p.stderr.decode())

    def popen(self, *words, **options):
        return subprocess.Popen([MOTE, *map(str, words)], env=self.environment, stdin=subprocess.DEVNULL, **options)

    def run(self, name, *words, options=(), memory="16M"):
        engine = ["--engine", machine.engine] if machine.engine else []
        return self("run", "-d", "-m", memory, "--name", name, *engine, *options, *words).strip()

    def names(self, *options):
        return self("ps", "-q", *options).split()

    def inspect(self, name):
        return json.loads(self("inspect", name))[0]

    def state(self, name):
        return self.inspect(name)["state"]

    def folder(self, name=""):
        return os.path.join(self.home, "mote", "instances", name)

    def processes(self):
        """Processes that belong to this state folder: mote's own, by their environment."""
        found = []
        mark = b"XDG_DATA_HOME=" + self.home.encode()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as f:
                    if mark in f.read().split(b"\0") and int(pid) != os.getpid():
                        with open(f"/proc/{pid}/stat") as s:
                            if s.read().rsplit(")", 1)[1].split()[0] != "Z":
                                found.append(int(pid))
            except OSError:
                pass
        return found

    def nothing_left(self, seconds=15):
        """No process, no file of an instance, no lock."""
        end = time.monotonic() + seconds
        while self.processes():
            if time.monotonic() > end:
                raise Failure(f"processes are left: {self.processes()}")
            time.sleep(0.1)
        folder = self.folder()
        left = [n for n in os.listdir(folder) if n != ".lock"] if os.path.isdir(folder) else []
        if left:
            raise Failure(f"files are left: {left}")

    def kill_all(self):
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def until(what, probe, seconds=30):
    """Wait for PROBE to return something true; it."""
    end = time.monotonic() + seconds
    while True:
        try:
            found = probe()
            if found:
                return found
            error = None
        except OSError as e:
            error = e
        if time.monotonic() > end:
            raise Failure(f"{what}: not in {seconds} s" + (f": {error}" if error else ""))
        time.sleep(0.1)


def free_ports(n):
    """Different ones, below those that outgoing connections take."""
    found = {}
    while len(found) < n:
        port = random.randrange(12000, 32000)
        s = socket.socket()
        try:
            s.bind(("127.0.0.1", port))
            found[port] = s
        except OSError:
            s.close()
    for s in found.values():
        s.close()
    return list(found)


def free_port():
    return free_ports(1)[0]


def compile_server(case):
    """A web server of 20 lines, linked statically: small enough for hundreds of machines."""
    program = case.path("server")
    subprocess.run(["gcc", "-O1", "-static", "-o", program, SERVER], check=True)
    return program


def have(name):
    return shutil.which(name, path="/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin")


__all__ = ["Instances", "compile_server", "free_port", "free_ports", "have", "until"]
