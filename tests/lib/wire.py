"""A machine on a wire of ours: QEMU's datagram network on one side, a TAP with Linux's own stack on the other.

The process moves into a network namespace of its own, which ends with it.  Needs root, or a user namespace that may
have a TAP.
"""
import ctypes
import os
import shlex
import subprocess

from case import BUILD, TESTS, Failure, Skip, tail
from machine import environment, mote_run

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
GUEST, HOST, TAP, MAC = "10.78.0.2", "10.78.0.1", "wire0", "52:54:00:78:00:02"
_libc = ctypes.CDLL(None, use_errno=True)


def compiled(case, name, *flags):
    """tests/net/NAME.c as a program; compiled for each test, since tests run at the same time."""
    out = case.path(name)
    p = subprocess.run(["gcc", "-O2", "-Wall", "-o", out, os.path.join(TESTS, "net", name + ".c"), *flags],
                       capture_output=True, text=True)
    if p.returncode:
        raise Failure(f"{name}.c does not compile", p.stderr)
    return out


def own_network(mtu=1500):
    """A namespace with one TAP."""
    if _libc.unshare(CLONE_NEWNET):
        uid, gid = os.getuid(), os.getgid()
        if _libc.unshare(CLONE_NEWUSER | CLONE_NEWNET):
            raise Skip("no network namespace of our own is allowed")
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
            with open(f"/proc/self/{name}", "w") as f:
                f.write(text)
    for command in ("link set lo up", f"tuntap add dev {TAP} mode tap", f"addr add {HOST}/24 dev {TAP}",
                    f"link set {TAP} mtu {mtu} up"):
        if subprocess.run(["ip", *command.split()], capture_output=True).returncode:
            raise Skip("no TAP is allowed")


def arguments(argv, socket_ours, socket_relay, memory="128M", cpus=1):
    """QEMU's command line for `mote run ARGV` with the wire in place of its network."""
    p = subprocess.run([*mote_run(), "--dry-run", "--net", "tap:" + TAP, "--ip", f"{GUEST}/24,{HOST}", "-m", memory, "-c",
                        str(cpus), *argv], env=environment(), capture_output=True, text=True)
    if p.returncode:
        raise Failure("mote run --dry-run fails", p.stderr)
    words = shlex.split(p.stdout)
    at = words.index("-netdev") + 1
    words[at] = (f"dgram,id=net,local.type=unix,local.path={socket_ours},remote.type=unix,remote.path={socket_relay}")
    return [word + f",mac={MAC}" if word.endswith(",netdev=net") else word for word in words]


class Wire:
    """As a context manager: relay and machine run.  IMPAIR: {key of relay.c: number}."""

    def __init__(self, case, argv, impair={}, mtu=1500, memory="128M", cpus=1):
        own_network(mtu)
        self.console = case.path("console")
        # Short names: a UNIX socket's path is limited.
        self.sockets = [f"/tmp/mote-wire-{os.getpid()}-{side}" for side in "qr"]
        relay = compiled(case, "relay")
        self.relay = [relay, TAP, self.sockets[1], self.sockets[0], *(f"{k}={v}" for k, v in impair.items())]
        self.machine = arguments(argv, *self.sockets, memory=memory, cpus=cpus)

    def __enter__(self):
        self.running = [subprocess.Popen(self.relay)]
        with open(self.console, "wb") as out:
            self.running.append(subprocess.Popen(self.machine, stdin=subprocess.DEVNULL, stdout=out, stderr=out))
        return self

    def __exit__(self, *error):
        for p in reversed(self.running):
            p.kill()
            p.wait()
        for path in self.sockets:
            if os.path.exists(path):
                os.unlink(path)

    def text(self):
        return tail(self.console)
