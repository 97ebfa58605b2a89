"""What a test is: a name, a function, a time limit, and how it says that it failed.

A case runs in a process of its own, leader of its own session, in an empty folder
build/tests/out/NAME (out-2 for a second runner at the same time) that keeps what the machines printed (files named console*).
"""
import os
import socket

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TESTS = os.path.join(ROOT, "tests")
BUILD = os.path.join(ROOT, "build")
MOTE = os.environ.get("MOTE", os.path.join(BUILD, "mote"))      # another one to test, if need be


out = "out"     # another name while another runner is at work


class Failure(Exception):
    """The first argument is a line for the summary, the second the detail (a diff, a console)."""


class Skip(Exception):
    """The argument says why."""


class Case:
    def __init__(self, name, function, timeout=60, slow=False, needs=("mote",)):
        self.name = name            # "guest/futex-wake"
        self.function = function    # function(case); raises Failure or Skip
        self.timeout = timeout      # seconds; passing it is a failure
        self.slow = slow            # left out of quick
        self.needs = needs          # targets of the Makefile to build first

    @property
    def folder(self):
        return os.path.join(BUILD, "tests", out, self.name)

    def path(self, name):
        return os.path.join(self.folder, name)


def tail(path, lines=30):
    """The last lines of a file, readable whatever bytes it holds."""
    try:
        with open(path, "rb") as f:
            f.seek(max(0, os.path.getsize(path) - 20000))
            text = f.read().decode(errors="backslashreplace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def free_port(kind=socket.SOCK_STREAM):
    """A port nobody listens on."""
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def expect(what, got, want):
    """Equal, or a failure that shows both."""
    if got != want:
        raise Failure(f"{what}: got {short(got)}, expected {short(want)}")


def short(value):
    text = repr(value)
    return text if len(text) <= 300 else text[:200] + f"... ({len(text)} characters)"
