"""Choosing, running and reporting cases."""
import argparse
import fcntl
import glob
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback

import case
import guest
import machine
import programs
from case import BUILD, ROOT, TESTS, Case, Failure, Skip, tail

USAGE = """tests/run [options] [NAME...]

NAME is a test (guest/futex-wake), a group (guest, apps, apps/nginx), the beginning of
names (guest/futex), or:
    quick   what `make test` runs: unit, cli, limits, guest and the short form of apps
    all     everything
Without a NAME: quick."""


# --- finding ------------------------------------------------------------------

def stems(pattern):
    """(path, name without suffix) of every file tests/PATTERN."""
    for path in sorted(glob.glob(os.path.join(TESTS, pattern))):
        yield path, os.path.splitext(os.path.basename(path))[0]


def load(path):
    spec = importlib.util.spec_from_file_location("test_" + os.path.basename(path)[:-3].replace("-", "_"), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_unit(case):
    command(case, [os.path.join(BUILD, case.name)])


def run_pytest(case):
    command(case, [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
                   os.path.join(TESTS, case.name + ".py")])


def run_fuzzer(case):
    corpus = os.path.join(TESTS, "fuzz", os.path.basename(case.name))
    command(case, [os.path.join(BUILD, case.name), f"-max_total_time={case.timeout // 2}", "-rss_limit_mb=1024",
                   "-artifact_prefix=" + case.path(""), *([corpus] if os.path.isdir(corpus) else [])])


def command(case, argv):
    """Run ARGV from the root of the tree; its exit status decides."""
    with open(case.path("console"), "wb") as out:
        status = subprocess.run(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out).returncode
    if status:
        raise Failure(f"exit status {status}", tail(case.path("console"), 80))


def discover():
    cases = [Case(f"unit/{name}", run_unit, 300, needs=("unit",)) for _, name in stems("unit/*.c")]
    cases += [Case(f"cli/{name}", run_pytest, 600) for _, name in stems("cli/test_*.py")]
    cases += [Case(f"fuzz/{name}", run_fuzzer, 120, slow=True, needs=("fuzz",)) for _, name in stems("fuzz/*.c")]
    cases += guest.cases()
    for folder in ("kernel", "limits", "tools", "apps", "net", "fuzz", "fault"):
        for path, name in stems(folder + "/*.py"):
            module = load(path)
            cases += module.cases(f"{folder}/{name}") if hasattr(module, "cases") else programs.cases(f"{folder}/{name}", module)
    return cases


def choose(cases, names):
    """The cases of NAMES in the order of discovery; unknown names end the run."""
    chosen = set()
    for name in names:
        name = name.rstrip("/").removeprefix("tests/")
        if name in ("quick", "all"):
            found = [c for c in cases if name == "all" or not c.slow]
        else:
            name = os.path.splitext(name)[0]
            found = [c for c in cases if c.name == name or c.name.startswith(name + "/")]
            found = found or [c for c in cases if c.name.startswith(name)]
        if not found:
            sys.exit(f"tests/run: no test is called {name}; tests/run --list all shows the names")
        chosen.update(found)
    return [c for c in cases if c in chosen]


# --- running ------------------------------------------------------------------

def build(cases):
    """Make what the cases need; the output of a failed make, or None."""
    for target in sorted({t for c in cases for t in c.needs}):
        # "mote" stands for what a plain make leaves
        goal = ["all"] if target == "mote" else [target]
        p = subprocess.run(["make", "-s", *goal], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if p.returncode:
            return f"make {goal[0]} failed\n{p.stdout.decode(errors='replace')}"
    return None


class Running:
    """A case in a process of its own."""

    def __init__(self, case):
        self.case = case
        self.begin = time.monotonic()
        shutil.rmtree(case.folder, ignore_errors=True)
        os.makedirs(case.folder)
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            self.child()

    def child(self):
        try:
            os.chdir(self.case.folder)
            sys.stdin = open(os.devnull)
            log = open("log", "w", buffering=1)
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            result = {"result": "ok"}
            self.case.function(self.case)
        except Failure as e:
            result = {"result": "FAIL", "why": str(e.args[0]), "detail": "\n".join(map(str, e.args[1:]))}
        except Skip as e:
            result = {"result": "skip", "why": str(e)}
        except BaseException as e:
            result = {"result": "FAIL", "why": f"{type(e).__name__}: {e}", "detail": traceback.format_exc()}
        with open("result", "w") as f:
            json.dump(result, f)
        os._exit(0)

    def poll(self):
        """None while it runs, then the result."""
        pid, _ = os.waitpid(self.pid, os.WNOHANG)
        self.seconds = time.monotonic() - self.begin
        if pid == 0 and self.seconds < self.case.timeout:
            return None
        if pid == 0:
            self.kill()
            os.waitpid(self.pid, 0)
            return {"result": "FAIL", "why": f"no end after {self.case.timeout} s", "detail": self.consoles()}
        try:
            with open(self.case.path("result")) as f:
                result = json.load(f)
        except (OSError, ValueError):
            result = {"result": "FAIL", "why": "the test's process died", "detail": self.consoles()}
        if self.left_behind():
            self.kill()
            if result["result"] == "ok":
                result = {"result": "FAIL", "why": "processes were left behind", "detail": self.consoles()}
        return result

    def consoles(self):
        shown = ""
        for path in sorted(glob.glob(glob.escape(self.case.folder) + "/console*")) + [self.case.path("log")]:
            text = tail(path)
            if text:
                shown += f"the end of {os.path.basename(path)}:\n{text}\n"
        return shown

    def members(self):
        """Processes of the test's session that are not ended; QEMU has a group of its own in it."""
        found = []
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(path) as f:
                    state, _, _, session = f.read().rsplit(")", 1)[1].split()[:4]
            except OSError:
                continue
            if int(session) == self.pid and state != "Z":
                found.append(int(path.split("/")[2]))
        return found

    def left_behind(self):
        return not self.gone(2)

    def gone(self, seconds):
        end = time.monotonic() + seconds
        while self.members():
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def kill(self):
        for sig, seconds in ((signal.SIGTERM, 2), (signal.SIGKILL, 10)):
            for pid in self.members():
                try:
                    os.kill(pid, sig)
                except ProcessLookupError:
                    pass
            if self.gone(seconds):
                return


class Report:
    def __init__(self, verbose):
        self.verbose = verbose
        self.count = {"ok": 0, "FAIL": 0, "skip": 0}
        self.failed = []

    def line(self, running, result):
        kind, why = result["result"], result.get("why", "")
        self.count[kind] += 1
        print(f"{kind:4} {running.case.name:36} {running.seconds:6.1f} s{'  ' + why if why else ''}")
        if kind == "FAIL":
            self.failed.append(running.case.name)
            detail = result.get("detail", "").rstrip()
            if detail:
                print("     | " + detail.replace("\n", "\n     | "))
        elif self.verbose:
            text = running.consoles().rstrip()
            if text:
                print("     | " + text.replace("\n", "\n     | "))
        sys.stdout.flush()

    def end(self):
        for name in self.failed if len(self.failed) < 40 else []:
            print(f"failed: {name}")
        skipped = f", {self.count['skip']} skipped" if self.count["skip"] else ""
        print(f"{self.count['ok']} passed, {self.count['FAIL']} failed{skipped}")
        return 1 if self.count["FAIL"] else 0


def claim_folder():
    """Two runners in one tree do not share folders; the lock is held to the end."""
    for n in range(1, 100):
        case.out = "out" if n == 1 else f"out-{n}"
        os.makedirs(os.path.join(BUILD, "tests", case.out), exist_ok=True)
        lock = open(os.path.join(BUILD, "tests", case.out, ".lock"), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except OSError:
            lock.close()
    sys.exit("tests/run: too many runners")


def run(cases, jobs, verbose):
    report, waiting, running = Report(verbose), list(cases), []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(Running(waiting.pop(0)))
            time.sleep(0.01)
            for r in list(running):
                result = r.poll()
                if result:
                    running.remove(r)
                    report.line(r, result)
    finally:
        for r in running:
            r.kill()
    return report.end()


def main(argv):
    p = argparse.ArgumentParser(usage=USAGE)
    p.add_argument("names", nargs="*", metavar="NAME", help=argparse.SUPPRESS)
    p.add_argument("-j", "--jobs", type=int, default=2, help="tests at the same time (default 2)")
    p.add_argument("--list", action="store_true", help="print the names and end")
    p.add_argument("-v", "--verbose", action="store_true", help="show what every test printed")
    p.add_argument("--engine", help="what runs the machines (mote run --engine; default: what mote chooses)")
    p.add_argument("--linux-only", action="store_true", help="guest: run on Linux alone, to try a new test")
    o = p.parse_args(argv)
    guest.linux_only = o.linux_only
    machine.engine = o.engine
    cases = choose(discover(), o.names or ["quick"])
    if o.list:
        print("\n".join(c.name for c in cases))
        return 0
    problem = None if o.linux_only else build(cases)
    if problem:
        print(problem)
        print("0 passed, 1 failed")
        return 1
    with claim_folder():
        return run(cases, max(1, o.jobs), o.verbose)
