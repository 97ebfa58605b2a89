"""What the measurements share: paths, QEMU with the counting plug-in, the private network, load."""
import csv
import ctypes
import json
import mmap
import os
import re
import socket
import statistics
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(HERE)
BUILD = os.path.join(ROOT, "build")
MOTE = os.environ.get("MOTE", os.path.join(BUILD, "mote"))
WORK = os.path.join(BUILD, "bench")
CACHE = os.environ.get("MOTE_BENCH_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "mote-bench")
QEMU = "qemu-system-x86_64"
GUEST_CORE, CLIENT_CORE = 0, 1
CLONE_NEWNET = 0x40000000
GUEST_IP, HOST_IP, TAP, MAC = "10.77.0.2", "10.77.0.1", "bench0", "52:54:00:77:00:02"


def die(message):
    sys.exit(f"bench: {message}")


def say(message):
    print(message, file=sys.stderr, flush=True)


def cached(path):
    full = os.path.join(CACHE, path)
    if not os.path.exists(full):
        die(f"{full} is missing: bench/setup makes it")
    return full


def work(name):
    os.makedirs(WORK, exist_ok=True)
    return os.path.join(WORK, name)


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except FileNotFoundError:
        return b""


def compile_program(name, source, *flags):
    """A program of ours, compiled when its source has changed."""
    out = work(name)
    if not os.path.exists(out) or os.path.getmtime(out) < os.path.getmtime(source):
        p = subprocess.run(["gcc", "-O2", "-o", out, source, *flags], capture_output=True, text=True)
        if p.returncode:
            die(f"{source} does not compile\n{p.stderr}")
    return out


def plugin():
    return compile_program("count.so", os.path.join(HERE, "plugin", "count.c"), "-shared", "-fPIC", "-lpthread")


def profile_plugin():
    return compile_program("profile.so", os.path.join(HERE, "plugin", "profile.c"), "-shared", "-fPIC", "-lpthread")


def own_program(name):
    """A program of bench/guest, for both sides."""
    return compile_program(name, os.path.join(HERE, "guest", f"{name}.c"), "-static", "-pthread")


def pvh_entry(path):
    """The address of an ELF kernel's PVH entry, from its note (Xen's type 18)."""
    data = read(path)
    offset, size, count = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
    for i in range(count):
        kind, _, at, _, _, length = struct.unpack_from("<IIQQQQ", data, offset + i * size)
        end = at + length
        while kind == 4 and at + 12 <= end:
            name_size, value_size, note = struct.unpack_from("<III", data, at)
            value = at + 12 + (name_size + 3) // 4 * 4
            if note == 18 and data[at + 12:at + 15] == b"Xen":
                return int.from_bytes(data[value:value + min(value_size, 8)], "little")
            at = value + (value_size + 3) // 4 * 4
    die(f"{path} has no PVH entry")


def host_tsc_khz():
    """Frequency of the host's time stamp counter, which TCG hands to the guest."""
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(bytes.fromhex("0f3148c1e2204809d0c3"))  # rdtsc; shl rdx,32; or rax,rdx; ret
    rdtsc = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    ticks, t = rdtsc(), time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
    time.sleep(0.2)
    ticks, t = rdtsc() - ticks, time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW) - t
    return round(ticks / t * 1e4) * 100


# --- cores and the network ------------------------------------------------------

def pin(core):
    if core in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {core})


def private_network():
    """Move this process into a network of its own with one tap, which ends with the process."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        die("a network of its own needs root")
    for command in (f"link set lo up", f"tuntap add dev {TAP} mode tap", f"addr add {HOST_IP}/24 dev {TAP}",
                    f"link set {TAP} up", f"neigh replace {GUEST_IP} lladdr {MAC} dev {TAP} nud permanent"):
        subprocess.run(["ip", *command.split()], check=True)


# --- guests -----------------------------------------------------------------------

class Guest:
    """QEMU with the counting plug-in, as a context manager; its console is the file console."""

    def __init__(self, name, arguments, icount=False, counters=None, count=True, devices=False, profile=None, markers=()):
        self.console, self.out, self.sock = (work(f"{name}.{kind}") for kind in ("console", "counts", "sock"))
        for path in (self.console, self.out, self.sock):
            if os.path.exists(path):
                os.unlink(path)
        # With several CPUs in one thread QEMU 10 ends by a fault as soon as there is a plug-in.
        several = "-smp" in arguments and arguments[arguments.index("-smp") + 1] != "1"
        self.argv = [QEMU, "-accel", "tcg,thread=multi" if several else "tcg,thread=single"]
        if icount:
            self.argv += ["-icount", "shift=0,align=off,sleep=off", "-rtc", "base=2026-01-01T00:00:00,clock=vm"]
        self.argv += ["-seed", "1", "-display", "none", "-no-reboot", "-monitor", "none", "-serial", "file:" + self.console]
        if count:
            options = {"out": self.out, "sock": self.sock, **(counters or {})}
            self.argv += ["-plugin", plugin() + "".join(f",{k}={v}" for k, v in options.items()) +
                          "".join(f",match={m}" for m in markers)]
        if profile:     # (base, size) of the kernel's text: counts per instruction, for bench/profile
            self.argv += ["-plugin", f"{profile_plugin()},sock={self.sock}.profile,base={profile[0]:x},size={profile[1]}"]
        self.trace = work(f"{name}.trace") if devices else None
        if devices:
            self.argv += ["-D", self.trace, "-trace", "virtio_queue_notify", "-trace", "virtio_notify"]
        self.argv += arguments
        self.log = work(f"{name}.log")

    def __enter__(self):
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=lambda: pin(GUEST_CORE))
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def trouble(self, what):
        die(f"{what}\nQEMU: {read(self.log)[-800:].decode(errors='replace')}\n"
            f"console: {read(self.console)[-800:].decode(errors='replace')}")

    def events(self, timeout=120):
        """Wait for the end; {event: counters}."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.trouble(f"no end in {timeout} s")
        return {e["at"]: e for e in map(json.loads, read(self.out).splitlines())}

    def reaches(self, marker, timeout):
        """Has the console shown the marker before the guest or the time ended?"""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if marker in read(self.console):
                return True
            if self.process.poll() is not None:
                return marker in read(self.console)
            time.sleep(0.02)
        return False

    def serves(self, port, timeout=60):
        end = time.monotonic() + timeout
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection((GUEST_IP, port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.trouble(f"nobody answers on port {port}")

    def counters(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.sock)
            counts = json.loads(s.makefile().read())
        if self.trace:
            trace = read(self.trace)
            counts["notifications"] = trace.count(b"virtio_queue_notify ")
            counts["interrupts"] = trace.count(b"virtio_notify ")
        return counts

    def profile(self):
        """Counts per address of the profiled range (8 bytes each)."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.sock + ".profile")
            return s.makefile("rb").read()

    def per_operation(self, load, times=3):
        """Medians of counters per operation; LOAD returns how many it did."""
        load()      # warm
        samples = []
        for _ in range(times):
            before = self.counters()
            n = load()
            after = self.counters()
            d = {k: (after[k] - before[k]) / n for k in after if k not in ("at", "wall", "uart_bytes")}
            samples.append({**d, "kernel": d["insns"] - d["user_insns"], "user": d["user_insns"]})
        medians = {k: statistics.median(s[k] for s in samples) for k in samples[0]}
        return {k: round(v) if v >= 100 else round(v, 3) for k, v in medians.items()}


# --- load ---------------------------------------------------------------------------

def on_client_core(argv, timeout=120):
    return subprocess.run(argv, capture_output=True, text=True, timeout=timeout, preexec_fn=lambda: pin(CLIENT_CORE))


def redis_get(connections=50, requests=5000, pipeline=1):
    """GETs of 32 bytes, `pipeline` at a time."""
    def load():
        p = on_client_core(["redis-benchmark", "-h", GUEST_IP, "-p", "6379", "-t", "get", "-n", str(requests),
                            "-c", str(connections), "-P", str(pipeline), "-d", "32", "--csv"])
        if not any(row and row[0] == "GET" for row in csv.reader(p.stdout.splitlines())):
            die(f"redis-benchmark gave no result\n{p.stdout}{p.stderr}")
        return requests
    return load


def http_get(path="/", connections=32, seconds=2, close=False):
    def load():
        options = ["-H", "Connection: close"] if close else []
        p = on_client_core(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", *options, f"http://{GUEST_IP}:8080{path}"])
        total = re.search(r"(\d+) requests in", p.stdout)
        if not total or not int(total.group(1)) or "Non-2xx" in p.stdout:
            die(f"no good answers\n{p.stdout}{p.stderr}")
        return int(total.group(1))
    return load


def iperf(n_bytes, to_guest):
    """One bulk transfer; the number of bytes."""
    def load():
        for _ in range(5):      # the server takes one client at a time, and the look whether it serves was one
            p = on_client_core(["iperf3", "-c", GUEST_IP, "-n", str(n_bytes), "-J", *([] if to_guest else ["-R"])])
            try:
                return json.loads(p.stdout)["end"]["sum_received"]["bytes"]
            except (ValueError, KeyError):
                time.sleep(1)
        die(f"iperf3 gave no result\n{p.stdout[-500:]}{p.stderr}")
    return load


# --- figures ------------------------------------------------------------------------

def row(figure, unit, mote, linux, goal=None, smaller_is_better=True):
    ratio = round(mote / linux, 3) if mote is not None and linux else None
    met = None if goal is None or mote is None else (mote <= goal if smaller_is_better else mote >= goal)
    return {"figure": figure, "unit": unit, "mote": mote, "linux": linux, "ratio": ratio, "goal": goal, "met": met}


def smallest(runs, low, high):
    """The smallest number in LOW..HIGH for which RUNS is true, by halving; None when not even HIGH."""
    if not runs(high):
        return None
    while low < high:
        middle = (low + high) // 2
        if runs(middle):
            high = middle
        else:
            low = middle + 1
    return high
