"""mote debug, mote core and --core, used as a person would: gdb itself, in batch mode."""
import os
import re
import shutil
import subprocess

from case import MOTE, TESTS, Case, Failure, Skip, expect
from use import has, tool

DATA = os.path.join(TESTS, "tools", "data")


def compiled(case, name):
    program = case.path(name)
    subprocess.run(["gcc", "-g", "-O0", "-o", program, os.path.join(DATA, name + ".c"), "-lpthread"], check=True)
    return program


def commands(*words):
    return [w for word in words for w in ("-x", word)]


def c_program(case):
    program = compiled(case, "threads")
    text = tool(case, MOTE, "debug", "-c", "2", "--batch", *commands(
        "info registers rip", "break square", "continue", "backtrace", "info proc mappings", "finish", "delete",
        "print square(9)", "print counter = 5", "print counter", "info sharedlibrary", "continue"), program, status=3)
    has(text, r"in _start \(\) from /lib64/ld-linux", r"Breakpoint 1, square \(x=7\)", r"#1 .* in main \(\) at .*threads.c:\d+",
        r"r-xp +/.*/threads$", r"Value returned is \$1 = 49", r"\$2 = 81", r"\$4 = 5", r"Yes .*/libc.so.6", r"^5 49 2.5$",
        r"exited with code 03")


def threads(case):
    program = compiled(case, "threads")
    text = tool(case, MOTE, "debug", "-c", "2", "--batch", *commands(
        "break worker", "continue", "info threads", "thread apply all backtrace 2", "next", "delete", "continue"), program, status=3)
    has(text, r"hit Breakpoint 1, worker \(arg=0x[123]\)", r"^\* \d +Thread 1\.\d+ \"threads\" +worker", r"Thread 1\.1",
        r"^18 49 2.5$", r"exited with code 03")


def watchpoint(case):
    """Debug registers of all CPUs; a thread that writes is reported with both values."""
    program = compiled(case, "threads")
    text = tool(case, MOTE, "debug", "-c", "2", "--batch", *commands(
        "break main", "continue", "watch counter", "continue", "backtrace", "delete", "continue"), program, status=3)
    has(text, r"hit Hardware watchpoint 2: counter", r"Old value = 0", r"New value = [123]", r"^#0 .*worker \(arg=0x[123]\)",
        r"^18 49 2.5$")


def go(case):
    if not shutil.which("go"):
        raise Skip("no go here")
    program = case.path("goroutines")
    subprocess.run(["go", "build", "-gcflags=all=-N -l", "-o", program, os.path.join(DATA, "goroutines.go")], check=True,
                   env={"GOCACHE": case.path("go"), **os.environ})
    text = tool(case, MOTE, "debug", "-c", "2", "--batch", *commands(
        "break main.add", "continue", "backtrace", "info threads", "delete", "continue"), program)
    has(text, r"hit Breakpoint 1, main.add \(a=0, b=\d[,)]", r"#1 .* in? ?main\.main\.func1", r"Thread 1\.1", r"^total 28$",
        r"exited normally")


def attached(case):
    """An instance goes on when gdb leaves it."""
    program = compiled(case, "crash")
    tool(case, MOTE, "run", "-d", "--name", "attached", program, "wait")
    try:
        text = tool(case, MOTE, "debug", "--batch", *commands("info threads", "detach"), "attached")
        has(text, r"Thread 1\.1", r"Thread 1\.2", r"Thread 1\.3", r"detached")
        core = case.path("core")
        expect("what mote core prints", tool(case, MOTE, "core", "-o", core, "attached"), core + "\n")
        text = tool(case, "gdb", "-nx", "-batch", "-ex", "thread apply all backtrace", "-ex", "print buffer", program, core)
        has(text, r"in sleeper \(arg=", r"in main \(argc=2", r"\"modified\"")
        text = tool(case, MOTE, "debug", "--batch", "--kernel", *commands("backtrace"), "attached")
        has(text, r"thread_block|sched_|idle")
        has(tool(case, MOTE, "ps"), r"^attached .* up ")
    finally:
        tool(case, MOTE, "rm", "-f", "attached")
    has(tool(case, MOTE, "debug", "attached", status=None), r"attached")


def crash(case):
    program = compiled(case, "crash")
    core = case.path("core")
    text = tool(case, MOTE, "run", "-c", "2", "--core", core, program, status=139)
    has(text, r"the program's core is in .*core: gdb PROGRAM", r"ended by SIGSEGV at address 0x10")
    text = tool(case, "gdb", "-nx", "-batch", "-ex", "backtrace", "-ex", "info threads", "-ex", "print buffer", "-ex", "print message",
                "-ex", "print/x $_siginfo._sifields._sigfault.si_addr", "-ex", "info sharedlibrary", program, core)
    has(text, r"terminated with signal SIGSEGV", r"#0 .* crash \(p=0x10\)", r"#1 .* main \(argc=1", r"\"modified\"", r"\"hello core\"",
        r"= 0x10$", r"Yes .*/libc.so.6")
    expect("threads", len(re.findall(r"^[* ] \d +.*LWP \d+", text, re.M)), 3)
    if os.stat(core).st_blocks * 512 > 8 << 20:
        raise Failure(f"the core takes {os.stat(core).st_blocks // 2} KB: pages nobody touched are in it")


def bad_input(case):
    has(tool(case, MOTE, "debug", "--listen", "no-port", "/bin/true", status=None), r"it is not \[ADDRESS:\]PORT")
    has(tool(case, MOTE, "core", "nobody", status=125), r"no instance is called nobody")
    has(tool(case, MOTE, "run", "--core", "/nowhere/core", compiled(case, "crash"), status=139), r"cannot write the core /nowhere/core")


def cases(name):
    functions = {"c": c_program, "threads": threads, "watchpoint": watchpoint, "go": go, "attached": attached, "crash": crash, "bad-input": bad_input}
    return [Case(f"{name}/{word}", function, 180, slow=word == "go") for word, function in functions.items()]
