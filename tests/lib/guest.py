r"""tests/guest: programs that run on Linux, then in a machine; both must say the same.

A program says in one of its first lines how it wants to be built and run:

    /* test: cpus=4 args='one "two words"' cflags='-static -O2' memory=64M env=A=1,B=2 */

    static  pie  static-pie     how it is linked (a dynamic executable by default)
    cflags=  libs=              more for the compiler; libs stand at the end
    args=                       the program's arguments, with a shell's quoting; \n is a newline; @many: 2,000
    env=                        variables, separated by commas
    stdin=                      its standard input: text, with \\n
    cpus=  memory=              the machine's (1, and mote's own default)
    net                         the machine has a network card (most have none)
    lib=NAME.c                  a shared library built beside it and given to the machine
    timeout=  slow              seconds for both runs; left out of quick

Standard output and standard error are one stream, as on a console; what the kernel says there ("mote: ...", and the
report of the program's death at its end) is not the program's and is left out.  A sibling NAME.expected replaces Linux's
answer where the two must differ; its lines that begin with '#' say why, and "# exit N" the status.
"""
import difflib
import glob
import os
import re
import shlex
import shutil
import subprocess

import machine
from case import BUILD, TESTS, Case, Failure, Skip

FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wno-missing-field-initializers"]
KNOWN = set("static pie static-pie cflags libs args env stdin cpus memory net lib timeout slow".split())
# The kernel's own lines on the console, and its report of the program's death, the last thing there.
KERNEL_SAYS = re.compile(rb"^mote: (\[ *\d+\.\d+\] .*\n|(.* ended by SIG|out of memory:)(?s:.*)\Z)", re.M)
linux_only = False


def directives(path):
    """What the program asks for, as a dict; a word without '=' is True."""
    with open(path) as f:
        head = "".join(f.readline() for _ in range(6))
    found = {}
    for text in re.findall(r"/\* test: (.*?) \*/", head, re.S):
        for word in shlex.split(text):
            key, equals, value = word.partition("=")
            if key not in KNOWN:
                raise ValueError(f"{path}: unknown directive {key}")
            found[key] = value if equals else True
    return found


def cases():
    found = []
    for path in sorted(glob.glob(os.path.join(TESTS, "guest", "*.c")) + glob.glob(os.path.join(TESTS, "guest", "*.cc"))):
        d = directives(path)
        name = os.path.splitext(os.path.basename(path))[0]
        found.append(Case(f"guest/{name}", lambda case, path=path, d=d: run(case, path, d),
                          int(d.get("timeout", 60)), "slow" in d))
    return found


# --- building -----------------------------------------------------------------

def up_to_date(out, argv, sources):
    """Made by this very command, after the last change of its sources."""
    try:
        with open(out + ".command") as f:
            same = f.read() == shlex.join(argv)
        return same and all(os.path.getmtime(s) <= os.path.getmtime(out) for s in sources)
    except OSError:
        return False


def compile_program(path, d):
    """Compile PATH when it changed; the program's path."""
    folder = os.path.join(BUILD, "tests", "guest")
    os.makedirs(folder, exist_ok=True)
    out = os.path.join(folder, os.path.splitext(os.path.basename(path))[0])
    library = None
    if "lib" in d:
        library = os.path.join(folder, "lib" + os.path.splitext(d["lib"])[0] + ".so")
        source = os.path.join(TESTS, "guest", "lib", d["lib"])
        cc(["gcc", *FLAGS, "-shared", "-fPIC", "-o", library, source], library, source)
    compiler = ["g++", "-std=gnu++17", *FLAGS[1:-2]] if path.endswith(".cc") else ["gcc", *FLAGS]
    how = {"static": ["-static"], "static-pie": ["-static-pie", "-fPIE"], "pie": ["-pie", "-fPIE"]}
    link = [flag for word in how if word in d for flag in how[word]]
    cc([*compiler, *link, *shlex.split(d.get("cflags", "").replace("@", folder)), "-o", out, path,
        *shlex.split(d.get("libs", "").replace("@", folder))],
       out, path, *glob.glob(os.path.join(TESTS, "guest", "lib", "*.h")), *([library] if library else []))
    return out


def cc(argv, out, *sources):
    if up_to_date(out, argv, sources):
        return
    part = f"{out}.{os.getpid()}"
    p = subprocess.run([part if word == out else word for word in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if p.returncode:
        raise Failure("does not compile", shlex.join(argv) + "\n" + p.stdout.decode(errors="replace"))
    os.rename(part, out)
    with open(out + ".command", "w") as f:
        f.write(shlex.join(argv))


# --- running ------------------------------------------------------------------

def run(case, path, d):
    program = compile_program(path, d)
    args = shlex.split(d.get("args", "").replace("\\n", "\n"))
    if args == ["@many"]:
        args = [f"argument-{i}" for i in range(1, 2001)]
    env = [e for e in d.get("env", "").split(",") if e]
    stdin = d.get("stdin", "").encode().decode("unicode_escape").encode("latin-1")
    want = on_linux(case, program, args, env, stdin, int(d.get("cpus", 1)))
    if linux_only:
        raise Skip(f"exit status {want[0]} on Linux")
    want = expected(os.path.splitext(path)[0] + ".expected") or want
    options = ["-c", d.get("cpus", "1")]
    options += ["-m", d["memory"]] if "memory" in d else []
    options += [] if "net" in d else ["--net", "none"]
    for e in env:
        options += ["-e", e]
    if "lib" in d:
        options += ["-f", os.path.join(os.path.dirname(program), "lib" + os.path.splitext(d["lib"])[0] + ".so")]
    status, output = machine.run(case, options, program, args, stdin)
    compare(want, (status, KERNEL_SAYS.sub(b"", output)))


def on_linux(case, program, args, env, stdin, cpus):
    """(exit status, output) on Linux: a scratch folder, a network of its own, as root."""
    scratch = case.path("scratch")
    os.makedirs(scratch)

    def enter():
        machine.private_namespaces()
        if cpus == 1:
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    variables = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
    variables.update(e.split("=", 1) for e in env)
    with open(case.path("console-linux"), "w+b") as out:
        p = subprocess.run([program, *args], cwd=scratch, env=variables, input=stdin, stdout=out, stderr=out, preexec_fn=enter)
        out.seek(0)
        text = out.read()
    shutil.rmtree(scratch, ignore_errors=True)
    return 128 - p.returncode if p.returncode < 0 else p.returncode, text


def expected(path):
    if not os.path.exists(path):
        return None
    with open(path) as f:
        lines = f.readlines()
    status = [int(line.split()[2]) for line in lines if line.startswith("# exit ")]
    return status[0] if status else 0, "".join(line for line in lines if not line.startswith("#")).encode()


def compare(want, got):
    if want == got:
        return
    if len(want[1]) > 200000:
        raise Failure(f"exit status {got[0]} (Linux {want[0]}), {len(got[1])} bytes (Linux {len(want[1])})",
                      f"first difference at {len(os.path.commonprefix([want[1], got[1]]))}")
    a, b = (text.decode(errors="backslashreplace").splitlines() for text in (want[1], got[1]))
    diff = "\n".join(difflib.unified_diff(a, b, "Linux", "mote", lineterm=""))
    status = f"exit status {got[0]} (Linux {want[0]})" if want[0] != got[0] else "the output differs"
    raise Failure(status, diff[:6000])
