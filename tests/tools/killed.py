"""mote is killed at every step of what it does: the next one finds its way, and can clean all of it.

strace (-e inject) delivers SIGKILL when a process of the command makes a call for the nth time.
"""
import subprocess
import time

from case import MOTE, Case, Failure, Skip
from instances import Instances, compile_server, have

# what changes anything that others see
CALLS = ("mkdir,mkdirat", "renameat2", "rename,renameat", "unlink,unlinkat", "openat", "fcntl", "bind", "socketpair", "write",
         "pipe2", "clone,clone3,fork,vfork", "execve", "signalfd4", "sendto", "close")


class Killer:
    def __init__(self, instances):
        self.instances = instances
        self.n_killed = 0

    def run(self, calls, nth, *words):
        """False: the command came to its end unharmed: there is no such step."""
        command = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}",
                   "-e", f"inject={calls}:signal=KILL:when={nth}", MOTE, *words]
        p = subprocess.Popen(command, env=self.instances.environment, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            status = p.wait(30)
        except subprocess.TimeoutExpired:
            p.kill()
            raise Failure(f"mote {words[0]} hangs when killed at {calls} number {nth}") from None
        self.n_killed += status != 0
        return status != 0

    def check(self, calls, nth, what):
        """Whatever is there can be listed, looked at, ended and removed."""
        i = self.instances
        try:
            for name in i.names("-a"):
                i.inspect(name)
                i("rm", "-f", name)
            i("prune")
            i.nothing_left()
        except Failure as e:
            raise Failure(f"{what} killed at {calls} number {nth}: {e.args[0]}", *e.args[1:]) from None


def steps(limit):
    for calls in CALLS:
        for nth in [1, 2, 3, 4, 5, 6, 8, 11, 15, 20, 30, 50][:limit]:
            yield calls, nth


def each(case, limit, prepare, *words):
    if not have("strace"):
        raise Skip("strace is not installed (make deps)")
    program = compile_server(case)
    words = [program if w == "PROGRAM" else w for w in words]
    with Instances(case) as instances:
        instances.run("warm", program, "warm", "80")    # the image is in the cache
        instances("rm", "-f", "warm")
        killer = Killer(instances)
        ended = set()
        for calls, nth in steps(limit):
            if calls in ended:
                continue
            prepare(instances, program)
            if not killer.run(calls, nth, *words):
                ended.add(calls)
                time.sleep(0.3)     # its supervisor may still come to that step
            killer.check(calls, nth, f"mote {words[0]}")
        if killer.n_killed < limit:
            raise Failure(f"only {killer.n_killed} runs were killed: this test tests nothing")


def nothing(instances, program):
    pass


def one_runs(instances, program):
    instances.run("a", program, "a", "80")


def one_ended(instances, program):
    instances.run("a", "/bin/true")
    instances("wait", "a")


def killed_run(case, limit):
    each(case, limit, nothing, "run", "-d", "-m", "16M", "--name", "a", "--log-size", "1K", "PROGRAM", "a", "80", "20")


def killed_private(case, limit):
    each(case, limit, nothing, "run", "-d", "-m", "16M", "--name", "a", "--network", "inner", "PROGRAM", "a", "80")


def killed_stop(case, limit):
    each(case, limit, one_runs, "stop", "-t", "1", "a")


def killed_rm(case, limit):
    each(case, limit, one_ended, "rm", "a")


def killed_start(case, limit):
    each(case, limit, one_ended, "start", "a")


def cases(name):
    made = []
    for what, function in (("run", killed_run), ("network", killed_private), ("stop", killed_stop), ("rm", killed_rm),
                           ("start", killed_start)):
        made.append(Case(f"{name}/{what}", lambda case, f=function: f(case, 2), 240, slow=what in ("network", "start")))
        made.append(Case(f"{name}/{what}-all", lambda case, f=function: f(case, 12), 1200, slow=True))
    return made
