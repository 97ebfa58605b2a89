"""Group net: what serving costs (the table of issue 4): guest instructions, device notifications, interrupts."""
import json
import os
import re
import statistics
import subprocess
import time

import linux
import mote
from bench import (GUEST_IP, HERE, ROOT, TAP, Guest, compile_program, die, http_get, iperf, on_client_core, private_network,
                   redis_get, row, say, work)

SIDES = (("mote", mote.arguments), ("linux", linux.arguments))
PORTS = {"redis": 6379, "nginx": 8080, "iperf": 5201, "memcached": 11211}
MEMORY = 256
_networked = []


def networked():
    if not _networked:
        private_network()
        _networked.append(True)


def both(app, loads, devices=False):
    """{side: [counters of each load]}"""
    networked()
    found = {}
    for side, arguments in SIDES:
        with Guest(f"{app}-{side}", arguments(app, MEMORY, network=True), devices=devices) as g:
            g.serves(PORTS[app])
            found[side] = [g.per_operation(load) for load in loads]
        for c in found[side]:
            say(f"  {side}: kernel {c['kernel']:,} user {c['user']:,}" +
                (f" notifications {c['notifications']} interrupts {c['interrupts']}" if devices else ""))
    return found


def figures(found, names):
    for i, (name, key, goal) in enumerate(names):
        if name:
            yield row(name, "instructions", found["mote"][i][key], found["linux"][i][key], goal)


def redis():
    loads = (redis_get(1, 3000), redis_get(50, 5000), redis_get(50, 40000, pipeline=16))
    yield from figures(both("redis", loads), (
        ("redis GET, c=1: kernel instructions per request", "kernel", 3500),
        ("redis GET, c=50: kernel instructions per request", "kernel", None),
        ("redis GET, c=50, P=16: kernel instructions per request", "kernel", 300)))


def nginx():
    loads = (http_get(), http_get(close=True), http_get("/100k"))
    yield from figures(both("nginx", loads), (
        ("nginx 612 B keep-alive, c=32: kernel instructions per request", "kernel", 6000),
        ("nginx 612 B, new connection each, c=32: all instructions per request", "insns", 35000),
        ("nginx 100 KB, c=32: kernel instructions per request", "kernel", 12000)))


def exits():
    found = both("nginx", (http_get(),), devices=True)
    for key, goal in (("notifications", 0.2), ("interrupts", 0.3)):
        yield row(f"nginx 612 B keep-alive, c=32: device {key} per request", key, found["mote"][0][key],
                  found["linux"][0][key], goal)


def bulk():
    found = both("iperf", (iperf(100_000_000, False), iperf(100_000_000, True)))
    for i, (what, goal) in enumerate((("transmit", 0.5), ("receive", 1.0))):
        yield row(f"bulk {what}: all instructions per byte", "instructions", found["mote"][i]["insns"],
                  found["linux"][i]["insns"], goal)


def memcached_get(connections=64, requests=20000):
    program = compile_program("load", os.path.join(HERE, "linux", "load.c"))

    def load():
        p = on_client_core([program, GUEST_IP, str(PORTS["memcached"]), str(connections), str(requests)])
        if p.returncode:
            die(f"memcached: {p.stderr}")
        return requests
    return load


def cpus():
    """memcached with four threads: what a request costs on four CPUs, by what it costs on one."""
    networked()
    found = {}
    for side, arguments in SIDES:
        cost = {}
        for n in (1, 4):
            with Guest(f"cpus-{side}", arguments("memcached", MEMORY, network=True, cpus=n)) as g:
                g.serves(PORTS["memcached"])
                cost[n] = g.per_operation(memcached_get())
            say(f"  {side}, {n} CPUs: kernel {cost[n]['kernel']:,} user {cost[n]['user']:,}")
        found[side] = round(cost[4]["insns"] / cost[1]["insns"], 3)
    yield row("memcached GET, c=64: all instructions per request, 4 CPUs by 1", "ratio", found["mote"], found["linux"], 1.1)


def transports():
    """virtio-mmio (mote run's) beside PCI with MSI-X: instructions and accesses that leave the machine, per request."""
    networked()
    keys = ("kernel", "mmio_r", "mmio_w", "apic_mmio", "pio", "hlt")
    for load, what in ((http_get(connections=1), "c=1"), (http_get(), "c=32")):
        found = {}
        for bus in ("mmio", "pci"):
            args = mote.arguments("nginx", MEMORY, network=True)
            if bus == "pci":
                args = [re.sub(r"virtio_mmio\.device=\S+ ", "", re.sub(r"^(virtio-\w+)-device", r"\1-pci", a)) for a in args]
                args[args.index("-machine") + 1] = "q35"
                at = args.index("-global")
                del args[at:at + 2]
            with Guest(f"bus-{bus}", args, counters={"mmio": 1}) as g:
                g.serves(PORTS["nginx"])
                found[bus] = g.per_operation(load)
            say(f"  {bus} {what}: " + " ".join(f"{k} {found[bus][k]:g}" for k in keys))
        for key in keys:
            yield row(f"nginx 612 B, {what}, by virtio-mmio (PCI as the second figure): {key}", "a request", found["mmio"][key],
                      found["pci"][key])


def goodput(seconds):
    """Bits a second that the guest sends through a bad link, by iperf3's receiving side."""
    for _ in range(5):
        p = on_client_core(["iperf3", "-c", GUEST_IP, "-R", "-t", str(seconds), "-J"])
        try:
            return round(json.loads(p.stdout)["end"]["sum_received"]["bits_per_second"] / 1e6, 2)
        except (ValueError, KeyError):
            time.sleep(1)
    die(f"iperf3 gave no result\n{p.stdout[-500:]}")


def bad_link():
    """The guest sends over 100 Mbit/s with 40 ms of round trip and loss (tests/net/relay.c)."""
    relay = compile_program("relay", os.path.join(ROOT, "tests", "net", "relay.c"))
    ends = [work(name) for name in ("wire-q", "wire-r")]
    networked()
    for what, loss in (("0.1%", 1000), ("1%", 10000)):
        found = {}
        for side, arguments in SIDES:
            args = arguments("iperf", MEMORY, network=True)
            args[args.index("-netdev") + 1] = (f"dgram,id=net,local.type=unix,local.path={ends[0]},"
                                               f"remote.type=unix,remote.path={ends[1]}")
            wire = subprocess.Popen([relay, TAP, ends[1], ends[0], f"loss={loss}", "delay=20000", "rate=12500000",
                                     "queue=500000", "seed=1"])
            try:
                with Guest(f"link-{side}", args, count=False) as g:
                    g.serves(PORTS["iperf"])
                    found[side] = statistics.median(goodput(10) for _ in range(3))
            finally:
                wire.kill()
                wire.wait()
            say(f"  {side}: {found[side]} Mbit/s")
        yield row(f"sending over 100 Mbit/s, 40 ms, {what} lost", "Mbit/s", found["mote"], found["linux"], found["linux"],
                  smaller_is_better=False)


MEASUREMENTS = (redis, nginx, exits, bulk, bad_link, cpus, transports)
