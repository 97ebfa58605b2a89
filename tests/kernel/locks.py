"""The checks of DEBUG=1: that they find mistakes, and that the kernel has none under a program that does everything at once.

MOTE_STRESS_SECONDS=1800 makes the long run of issue 3 out of kernel/locks/smp-stress.
"""
import os
import re
import subprocess

from bare import boot
from case import BUILD, ROOT, TESTS, Case, Failure, tail

CHECKED = os.path.join(BUILD, "checked")
FOUND = ("taken in both orders", "may sleep with a spinlock held: ", "touches user memory with a spinlock held")


def finds_mistakes(case):
    status = boot(case, os.path.join(CHECKED, "stress-x86_64.elf"), 1, 32, "stress.wrong=1")
    with open(case.path("console"), encoding="utf-8", errors="replace") as f:
        text = f.read()
    missing = [what for what in FOUND if what not in text]
    if status != 1 or missing or text.count(FOUND[0]) != 2:
        raise Failure(f"status {status}, not found: {missing}", tail(case.path("console"), 60))


def lowest_layers(case):
    status = boot(case, os.path.join(CHECKED, "stress-x86_64.elf"), 4, 32)
    if status != 1 or b"lock check" in open(case.path("console"), "rb").read():
        raise Failure(f"status {status}", tail(case.path("console"), 60))


def program(name):
    out = os.path.join(BUILD, "tests", name)
    subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-o", out, os.path.join(TESTS, "kernel", f"{name}.c"), "-lpthread"],
                   check=True)
    return out


def smp_stress(mote, cpus, seconds):
    def run(case):
        argv = [mote, "run", "-c", str(cpus), "-m", "256M", program("smp_stress"), str(seconds)]
        with open(case.path("console"), "wb") as out:
            status = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=ROOT).returncode
        with open(case.path("console"), encoding="utf-8", errors="replace") as f:
            text = f.read()
        if status or "stress ok" not in text or re.search("lock check|panic", text):
            raise Failure(f"exit status {status}", tail(case.path("console"), 60))
    return run


def cases(name):
    seconds = int(os.environ.get("MOTE_STRESS_SECONDS", "30"))
    checked = os.path.join(CHECKED, "mote")
    return [Case(f"{name}/finds-mistakes", finds_mistakes, 60, slow=True, needs=("checked",)),
            Case(f"{name}/lowest-layers", lowest_layers, 240, slow=True, needs=("checked",)),
            Case(f"{name}/smp-stress", smp_stress(checked, 4, seconds), seconds * 3 + 120, slow=True, needs=("checked",)),
            Case(f"{name}/smp-stress-short", smp_stress(os.path.join(BUILD, "mote"), 4, 5), 120)]
