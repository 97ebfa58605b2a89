"""mote profile: shares of time that are known, of a program and of an instance; the drawing is an SVG."""
import os
import re
import subprocess
import xml.etree.ElementTree

from case import MOTE, TESTS, Case, Failure
from use import has, tool

DATA = os.path.join(TESTS, "tools", "data")


def compiled(case):
    program = case.path("work")
    subprocess.run(["gcc", "-O0", "-g", "-fno-omit-frame-pointer", "-o", program, os.path.join(DATA, "work.c"), "-lpthread"], check=True)
    return program


def stacks(path):
    with open(path) as f:
        return [(line.rsplit(" ", 1)[0].split(";"), int(line.rsplit(" ", 1)[1])) for line in f]


def below(folded, *names):
    return sum(n for frames, n in folded if all(name in frames for name in names))


def check(folded):
    light, heavy = below(folded, "worker", "light", "spin"), below(folded, "worker", "heavy", "spin")
    if light < 20 or not 1.4 < heavy / light < 2.8:
        raise Failure(f"heavy() has {heavy} samples, light() {light}: not about twice as many", str(folded)[:2000])
    kernel = sum(n for frames, n in folded if "worker" in frames and any(re.match(r"syscall_.*_\[k\]", f) for f in frames))
    if kernel < 5:
        raise Failure(f"{kernel} samples of system calls below worker(): too few", str(folded)[:2000])


def program(case):
    """From its first instruction; its exit status is ours."""
    out = case.path("out.folded")
    text = tool(case, MOTE, "profile", "-c", "2", "-o", out, compiled(case), status=3)
    has(text, r"^done$", r"out.folded: \d+ samples")
    check(stacks(out))


def instance(case):
    """A machine that runs goes on, and can be profiled again."""
    folded, svg = case.path("out.folded"), case.path("out.svg")
    tool(case, MOTE, "run", "-d", "--name", "profiled", compiled(case), "for-ever")
    try:
        tool(case, MOTE, "profile", "-d", "3", "-F", "199", "-o", folded, "profiled")
        check(stacks(folded))
        tool(case, MOTE, "profile", "-d", "1", "-o", svg, "profiled")
        titles = [t.text for t in xml.etree.ElementTree.parse(svg).iter("{http://www.w3.org/2000/svg}title")]
        if not any(re.match(r"heavy \(\d+ samples, \d+\.\d\d%\)", t) for t in titles):
            raise Failure("the drawing has no box heavy", "\n".join(titles))
        has(tool(case, MOTE, "ps"), r"^profiled .* up ")
    finally:
        tool(case, MOTE, "rm", "-f", "profiled")


def bad_input(case):
    has(tool(case, MOTE, "profile", status=125), r"no program given")
    has(tool(case, MOTE, "profile", "-F", "0", "/bin/true", status=None), r"cannot use --frequency 0")
    has(tool(case, MOTE, "profile", "-o", "/nowhere/x.svg", compiled(case), status=125), r"cannot write /nowhere/x.svg")


def cases(name):
    functions = {"program": program, "instance": instance, "bad-input": bad_input}
    return [Case(f"{name}/{word}", function, 120) for word, function in functions.items()]
