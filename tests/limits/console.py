"""Output into a pipe that nobody reads for a while arrives whole."""
import hashlib
import subprocess
import time

from case import Case, expect
from machine import environment, mote_run

SIZE = 300 * 1000       # more than the pipes on the way hold
PROGRAM = b"""
#include <stdio.h>
int main(void)
{
	for (int i = 0; i < %d; i++)
		putchar(i * 31 %% 251);
	return 0;
}
""" % SIZE


def slow_reader(case):
    program = case.path("writer")
    subprocess.run(["gcc", "-O1", "-x", "c", "-", "-o", program], input=PROGRAM, check=True)
    with open(case.path("console"), "wb") as errors:
        p = subprocess.Popen([*mote_run(), "--net", "none", program], env=environment(), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=errors)
        time.sleep(5)
        got = p.stdout.read()
        expect("exit status", p.wait(), 0)
    expect("bytes", len(got), SIZE)
    want = bytes(i * 31 % 251 for i in range(SIZE))
    expect("contents", hashlib.sha256(got).hexdigest(), hashlib.sha256(want).hexdigest())


def cases(name):
    return [Case(f"{name}/slow-reader", slow_reader)]
