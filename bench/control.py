"""Group control: what the command itself costs (issue 6): CPU time outside the guest, and mote ps with many instances."""
import fcntl
import json
import os
import resource
import shlex
import statistics
import struct
import subprocess
import tempfile

from bench import HERE, MOTE, compile_program, row

F_OFD_SETLK = 37
RUNS = 15
INSTANCES = 200


def cpu_ms(argv, env, stdin=b""):
    """CPU time of a process and those it waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, env=env, input=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def median_cpu_ms(*words, **options):
    return round(statistics.median(cpu_ms(*words, **options) for _ in range(RUNS)), 1)


def environment(folder, **more):
    return dict(os.environ, XDG_DATA_HOME=folder, XDG_CACHE_HOME=os.path.join(folder, "cache"), **more)


def stand_in(folder):
    """A QEMU that does nothing but say that the program has run: what is left is ours."""
    os.makedirs(os.path.join(folder, "bin"))
    program = compile_program("engine-stand-in", os.path.join(HERE, "guest", "engine-stand-in.c"), "-static")
    os.symlink(program, os.path.join(folder, "bin", "qemu-system-x86_64"))
    return os.path.join(folder, "bin") + ":" + os.environ["PATH"]


def engine_start_ms(env, hello):
    """QEMU as mote starts it, ended before the guest's first instruction."""
    argv = shlex.split(subprocess.run([MOTE, "run", "--dry-run", "-m", "32M", hello], env=env, stdout=subprocess.PIPE,
                                      check=True, text=True).stdout)
    argv = ["null,id=console" if a.startswith("stdio,") else a for a in argv]
    quit_it = b'{"execute":"qmp_capabilities"}\n{"execute":"quit"}\n'
    return median_cpu_ms([*argv, "-S", "-qmp", "stdio"], env, stdin=quit_it)


def run_hello():
    hello = compile_program("hello", os.path.join(HERE, "..", "tests", "guest", "hello-static.c"), "-static")
    with tempfile.TemporaryDirectory() as folder:
        env = environment(folder)
        words = [MOTE, "run", "-m", "32M", "--net", "none", hello]
        subprocess.run(words, env=env, stdout=subprocess.DEVNULL, check=True)      # now its image is there
        ours = median_cpu_ms(words, dict(env, PATH=stand_in(folder)))
        engine = engine_start_ms(env, hello)
    yield row("mote run hello, image made before: CPU of mote itself", "ms", ours, None, 15)
    yield row("the same and QEMU's until the guest starts", "ms", round(ours + engine, 1), None, 40)


def instance(folder, n, locked):
    """One as the supervisor of a running instance keeps it; its lock is held by us."""
    path = os.path.join(folder, "mote", "instances", f"web-{n:03}")
    os.makedirs(path)
    config = {"created": "2026-01-31T12:00:00.000000000Z", "program": "/usr/sbin/nginx", "arguments": ["-g", "daemon off;"],
              "image": "/x", "memory": 16 << 20, "cpus": 1, "labels": {"tier": "web"}, "restart": "always", "stop_seconds": 10,
              "ports": [{"address": "0.0.0.0", "host": 10000 + n, "guest": 80, "protocol": "tcp"}], "remove": False,
              "detached": True, "words": ["-d", "nginx"], "environment": [], "folder": "/", "path": "/usr/bin"}
    state = {"status": "running", "supervisor": 2, "supervisor_since": 1, "engine": 3, "started": "2026-01-31T12:00:01.5Z",
             "restarts": 0, "health": "healthy", "health_why": "", "stopped": False}
    for name, content in (("config", config), ("state", state)):
        with open(os.path.join(path, name + ".json"), "w") as f:
            json.dump(content, f, indent=1)
    lock = os.open(os.path.join(path, "lock"), os.O_RDWR | os.O_CREAT)
    fcntl.fcntl(lock, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    locked.append(lock)


def list_instances():
    with tempfile.TemporaryDirectory() as folder:
        locked = []
        for n in range(INSTANCES):
            instance(folder, n, locked)
        env = environment(folder)
        shown = subprocess.run([MOTE, "ps", "-q"], env=env, stdout=subprocess.PIPE, check=True).stdout.split()
        assert len(shown) == INSTANCES
        cost = median_cpu_ms([MOTE, "ps"], env)
        for fd in locked:
            os.close(fd)
    yield row(f"mote ps with {INSTANCES} instances that run: CPU", "ms", cost, None, 30)


MEASUREMENTS = (run_hello, list_instances)
