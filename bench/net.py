"""Group net: what serving costs (the table of issue 4): guest instructions, device notifications, interrupts."""
import linux
import mote
from bench import Guest, http_get, iperf, private_network, redis_get, row, say

SIDES = (("mote", mote.arguments), ("linux", linux.arguments))
PORTS = {"redis": 6379, "nginx": 8080, "iperf": 5201, "memcached": 11211}
MEMORY = 256
_networked = []


def both(app, loads, devices=False):
    """{side: [counters of each load]}"""
    if not _networked:
        private_network()
        _networked.append(True)
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


MEASUREMENTS = (redis, nginx, exits, bulk)
