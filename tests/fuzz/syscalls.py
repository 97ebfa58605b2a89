"""Fuzzing by system calls (tests/fuzz/guest/syscalls.c): MOTE_FUZZ_SECONDS (600), MOTE_FUZZ_SEED (the day's).

Each slice is a machine of its own with the next seed: a program that its own calls end is no failure, a kernel that panics,
a call that nothing ends, a kernel address in a result, or kernel memory that grows is; and so is that no slice lives to its end.
"""
import os
import re
import subprocess
import time

from case import BUILD, ROOT, TESTS, Case, Failure, tail
from machine import environment, mote_run

SLICE = 60
WRONG = re.compile(r"fuzz: FAILED|panic|assertion|lock check|double fault", re.I)


def program():
    out = os.path.join(BUILD, "tests", "fuzz-syscalls")
    os.makedirs(os.path.dirname(out), exist_ok=True)
    subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-I", ROOT, "-o", out,
                    *(os.path.join(TESTS, "fuzz", "guest", name) for name in ("syscalls.c", "tamed.c")), "-lpthread"], check=True)
    return out


def one_slice(case, fuzzer, seed, seconds):
    console = case.path(f"console-{seed}")
    argv = [*mote_run(), "--net", "none", "-c", str(1 + seed % 2), "-m", "256M", fuzzer, str(seconds), str(seed), "4"]
    with open(console, "wb") as out:
        p = subprocess.Popen(argv, env=environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            status = p.wait(seconds * 4 + 120)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
            raise Failure(f"seed {seed}: the machine hangs", tail(console, 60)) from None
    with open(console, encoding="utf-8", errors="replace") as f:
        text = f.read()
    if WRONG.search(text) or status == 125:
        raise Failure(f"seed {seed}: status {status}; again with: {' '.join(argv[-4:])} log", tail(console, 60))
    return "fuzz: ok" in text


def run(seconds):
    def fuzz(case):
        seed = int(os.environ.get("MOTE_FUZZ_SEED", time.strftime("%Y%m%d00")))
        fuzzer, end, whole = program(), time.monotonic() + seconds, 0
        while (left := end - time.monotonic()) > 5:
            whole += one_slice(case, fuzzer, seed, int(min(left, SLICE)))
            seed += 1
        if not whole:
            raise Failure("every slice's program ended early", tail(case.path(f"console-{seed - 1}"), 60))
    return fuzz


def cases(name):
    seconds = int(os.environ.get("MOTE_FUZZ_SECONDS", "600"))
    return [Case(name, run(seconds), seconds * 5 + 300, slow=True),
            Case(f"{name}-short", run(15), 300)]
