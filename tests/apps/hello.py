"""A static and a dynamic hello, compiled here: the machine says what Linux says."""
import subprocess

from apps import both_sizes, on_linux
from case import Failure, expect
from machine import run

SOURCE = r"""
#include <stdio.h>
int main(int argc, char **argv)
{
	printf("hello, %s\n", argc > 1 ? argv[1] : "world");
	return 3;
}
"""


def hello(case, cpus, flags):
    p = subprocess.run(["gcc", "-O2", *flags, "-x", "c", "-", "-o", case.path("hello")], input=SOURCE.encode(), capture_output=True)
    if p.returncode:
        raise Failure("gcc failed", p.stderr.decode())
    linux = on_linux(case, [case.path("hello"), "machine"])
    expect("exit status and output", run(case, ["-c", str(cpus)], case.path("hello"), ["machine"]), linux)


def cases(name):
    found = []
    for kind, flags in (("static", ["-static"]), ("dynamic", [])):
        found += both_sizes(lambda case, cpus, flags=flags: hello(case, cpus, flags), f"apps/hello-{kind}", 30)
    return found
