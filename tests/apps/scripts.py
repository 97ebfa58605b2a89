"""Scripts of lua and perl: Linux's output and exit status."""
import os

from apps import DATA, both_sizes, on_linux, program
from case import expect
from machine import run


def same(case, cpus, interpreter, script, args):
    path = os.path.join(DATA, script)
    linux = on_linux(case, [interpreter, path, *args])
    mote = run(case, ["-c", str(cpus), "-m", "128M", "-f", path, "--net", "none"], interpreter, [path, *args])
    expect("exit status and output", hide(mote), hide(linux))


def hide(result):
    """Names of temporary files differ."""
    status, text = result
    return status, [b"..." if b"/tmp/" in line else line for line in text.splitlines()]


def lua(case, cpus):
    same(case, cpus, program("lua5.4", "lua5.4"), "script.lua", ["one", "two"])


def perl(case, cpus):
    same(case, cpus, program("perl", "perl"), "script.pl", ["one", "two"])


def shebang(case, cpus):
    """The script itself is the program: its interpreter comes along."""
    path = os.path.join(DATA, "script.pl")
    linux = on_linux(case, [path, "two"])
    mote = run(case, ["-c", str(cpus), "-m", "128M", "--net", "none"], path, ["two"])
    expect("exit status and output", mote, linux)


def cases(name):
    return [*both_sizes(lua, "apps/lua-script", 60), *both_sizes(perl, "apps/perl-script", 60), *both_sizes(shebang, "apps/perl-shebang", 60)]
