"""Machines for tests: start `mote run`, reach the program through its ports, end it."""
import ctypes
import fcntl
import os
import re
import signal
import socket
import struct
import subprocess
import time

from case import BUILD, MOTE, Failure, free_port, tail

CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET = 0x4000000, 0x8000000, 0x40000000
engine = None       # tests/run --engine
data_home = os.path.join(BUILD, "tests", "data")    # the tests' own, so that nothing of the person's is touched
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
_libc = ctypes.CDLL(None, use_errno=True)


def private_namespaces():
    """Between fork and exec: leave the host's network for one with nothing but a loopback, and its name alone."""
    if _libc.unshare(CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC) == 0:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
        s.close()


def environment():
    return dict(os.environ, XDG_DATA_HOME=data_home, XDG_CACHE_HOME=os.path.join(data_home, "cache"))


def mote_run():
    return [MOTE, "run", *(["--engine", engine] if engine else [])]


def run(case, options, program, args=(), stdin=b"", console="console"):
    """Run to the end; (exit status, output)."""
    path = case.path(console)
    with open(path, "wb") as out:
        p = subprocess.Popen([*mote_run(), *options, program, *args], env=environment(), stdin=subprocess.PIPE,
                             stdout=out, stderr=subprocess.STDOUT)
        try:
            p.communicate(stdin)
        except BrokenPipeError:
            p.wait()
    with open(path, "rb") as f:
        return p.returncode, f.read()


class Machine:
    """A program that serves, as a context manager.  PORTS are the guest's; self.port[GUEST] the host's."""

    def __init__(self, case, argv, ports=(), cpus=1, memory=None, options=(), udp=(), console="console",
                 folder=None, stdin=None):
        self.console = case.path(console)
        self.cwd, self.stdin = folder, stdin if stdin and os.path.exists(stdin) else os.devnull
        self.port = {p: free_port() for p in ports}
        self.udp_port = {p: free_port(socket.SOCK_DGRAM) for p in udp}
        command = [*mote_run(), "-c", str(cpus)]
        command += ["-m", memory] if memory else []
        command += [word for guest, host in self.port.items() for word in ("-p", f"{host}:{guest}")]
        command += [word for guest, host in self.udp_port.items() for word in ("-p", f"{host}:{guest}/udp")]
        self.argv = [*command, *options, *argv]
        self.process = None

    def __enter__(self):
        with open(self.console, "wb") as out, open(self.stdin, "rb") as stdin:
            self.process = subprocess.Popen(self.argv, env=environment(), cwd=self.cwd, stdin=stdin, stdout=out,
                                            stderr=subprocess.STDOUT)
        return self

    def __exit__(self, kind, error, trace):
        self.stop()
        if isinstance(error, (OSError, AssertionError, ValueError, EOFError)):
            raise Failure(f"{type(error).__name__}: {error}", "console:\n" + tail(self.console)) from error

    def stop(self, patience=20):
        """SIGTERM, as a person's Ctrl-C does; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise Failure(f"still there {patience} s after SIGTERM", tail(self.console)) from None
        return self.process.returncode

    def wait(self, timeout):
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"the program has not ended after {timeout} s", tail(self.console)) from None

    def output(self):
        """What the program wrote, without the kernel's own lines."""
        with open(self.console, "rb") as f:
            return re.sub(rb"^mote: .*\n", b"", f.read(), flags=re.M)

    def text(self):
        with open(self.console, "rb") as f:
            return f.read().decode(errors="backslashreplace")

    patience = 40

    def until(self, probe, timeout=None):
        """Call PROBE until it returns without an OSError (a forwarded port accepts before the guest listens)."""
        timeout = timeout or self.patience
        end = time.monotonic() + timeout
        while True:
            try:
                return probe()
            except (OSError, EOFError) as e:
                if self.process.poll() is not None:
                    raise Failure(f"ended with status {self.process.returncode}", tail(self.console)) from None
                if time.monotonic() > end:
                    raise Failure(f"no answer in {timeout} s: {e}", tail(self.console)) from None
                time.sleep(0.1)


class Linux(Machine):
    """The same program on this Linux, for the same questions."""

    def __init__(self, case, argv, port, console="console-linux"):
        self.console = case.path(console)
        self.port = port
        self.cwd, self.stdin = None, os.devnull
        self.argv = list(argv)
        self.process = None
