"""mote trace beside strace: the same program on Linux and in a machine, the lines compared; lists of calls."""
import os
import re
import subprocess

from case import MOTE, TESTS, Case, Failure, expect
from machine import environment

PROGRAM = os.path.join(TESTS, "tools", "data", "calls.c")


def compiled(case):
    program = case.path("calls")
    subprocess.run(["gcc", "-static", "-O1", "-o", program, PROGRAM], check=True)
    return program


def run(case, *argv, status=0):
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                       env=environment(), cwd="/tmp")
    with open(case.path("console"), "ab") as out:
        out.write(p.stdout + p.stderr)
    if status is not None and p.returncode != status:
        raise Failure(f"{' '.join(argv[:3])}: exit status {p.returncode}, not {status}", p.stderr.decode(errors="replace")[-2000:])
    return (p.stdout + p.stderr).decode(errors="backslashreplace")


def normal(text):
    """Between the marks the program sets; addresses and times as words."""
    lines = [re.sub(r"0x7[0-9a-f]{6,}", "ADDRESS", re.sub(r"\s+= ", " = ", l)) for l in text.splitlines() if re.match(r"[a-z_0-9]+\(", l)]
    marks = [i for i, l in enumerate(lines) if "no-such-mark" in l]
    if len(marks) != 2:
        raise Failure("the program's marks are not in the trace", text[-2000:])
    lines = [re.sub(r"rlim_(cur|max)=[^,}]+", r"rlim_\1=N", l) for l in lines]
    return [re.sub(r"tv_(n?u?sec)=\d+", r"tv_\1=N", l) for l in lines[marks[0]:marks[1] + 1]]


def like_strace(case):
    program = compiled(case)
    ours = normal(run(case, MOTE, "trace", "--env", "A=1", program))
    linux = normal(run(case, "strace", program))
    different = [f"Linux {l}\nmote  {o}" for l, o in zip(linux, ours) if l != o]
    if different or len(ours) != len(linux):
        raise Failure(f"{len(different)} of {len(linux)} lines differ, {len(ours)} lines", "\n".join(different))


def endings(case):
    """As strace tells them."""
    for script, status, line in (("exit 3", 3, "exited with 3"), ("kill -TERM $$", 143, "killed by SIGTERM")):
        text = run(case, MOTE, "trace", "/bin/sh", "-c", script, status=status)
        if f"+++ {line} +++" not in text.splitlines():
            raise Failure(f"the end is not told: {line}", text[-1000:])
    if "+++" in run(case, MOTE, "trace", "-c", "/bin/true"):
        raise Failure("-c prints more than its table")


def selection(case):
    program = compiled(case)
    text = run(case, MOTE, "trace", "-e", "trace=%network,!nothing-like-it", program, status=125)
    if "neither a system call nor a class" not in text:
        raise Failure("a wrong name is not told", text)
    names = {l.split("(")[0] for l in run(case, MOTE, "trace", "-e", "%network", program).splitlines() if "(" in l}
    expect("calls of %network", names, {"socket", "bind", "getsockname", "setsockopt"})
    text = run(case, MOTE, "trace", "-c", program)
    if not re.search(r"^100\.00 .* total$", text, re.M) or not re.search(r" 2 +2 access$", text, re.M):
        raise Failure("the sums are not as expected", text)
    text = run(case, MOTE, "trace", "-tt", "-T", "-y", "-e", "fstat,newfstatat,write", program)
    if not re.search(r"^\d\d:\d\d:\d\d\.\d{6} write\(1</dev/console>, .* = \d+ <0\.\d{6}>$", text, re.M):
        raise Failure("stamps, paths and durations are not as expected", text)


def profile_and_allow(case):
    """What --profile learns is enough for --allow; one call less is refused and said."""
    program, names = compiled(case), case.path("names")
    run(case, MOTE, "run", "--profile", names, program)
    with open(names) as f:
        learnt = f.read().splitlines()
    for name in ("write", "socket", "exit_group"):
        if name not in learnt:
            raise Failure(f"{name} is not in the profile", "\n".join(learnt))
    expect("what is refused with all of them", [l for l in run(case, MOTE, "run", "--allow", names, program).splitlines()
                                                if "not on the list" in l], [])
    with open(names, "w") as f:
        f.write("\n".join(n for n in learnt if n != "socket"))
    text = run(case, MOTE, "run", "--allow", names, program, status=None)
    if "system call socket (41) is not on the list of allowed ones: EPERM" not in text:
        raise Failure("the refused call is not told", text)
    run(case, MOTE, "run", "--allow", names, "--allow-or-end", program, status=128 + 31)
    with open(names, "w") as f:
        f.write("read\nno_such_call\n")
    if "names:2: there is no system call no_such_call" not in run(case, MOTE, "run", "--allow", names, program, status=125):
        raise Failure("a wrong name in the list is not told")


def cases(name):
    functions = {"like-strace": like_strace, "endings": endings, "selection": selection, "profile-and-allow": profile_and_allow}
    return [Case(f"{name}/{word}", function, 120) for word, function in functions.items()]
