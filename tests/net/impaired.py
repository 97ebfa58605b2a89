"""Our TCP against Linux's own over a bad wire: every byte arrives, none hangs (tests/net/relay.c, transfer.c)."""
import subprocess
import time

from case import Case, Failure, tail
from wire import GUEST, Wire, compiled

# name: impairments, MTU
WIRES = {
    "clean": ({}, 1500),
    "loss": ({"loss": 20000, "delay": 1000}, 1500),
    "late": ({"late": 50000, "delay": 2000, "later": 3000}, 1500),
    "double": ({"double": 100000, "delay": 1000}, 1500),
    "damage": ({"damage": 20000, "delay": 500}, 1500),
    "slow": ({"rate": 2_500_000, "queue": 60000, "delay": 10000, "loss": 1000}, 1500),
    "small-mtu": ({"loss": 5000, "delay": 1000}, 600),
    "all": ({"loss": 20000, "late": 30000, "double": 30000, "damage": 10000, "delay": 2000, "later": 4000}, 1500),
}


def transfers(case, wire, count, at_once, size, seed, patience):
    impair, mtu = WIRES[wire]
    program = compiled(case, "transfer", "-static", "-pthread")
    with Wire(case, [program, "serve", "7000"], {**impair, "seed": seed}, mtu) as w:
        end = time.monotonic() + 30
        while "ready" not in w.text():
            if time.monotonic() > end:
                raise Failure("the guest does not listen", w.text())
            time.sleep(0.1)
        try:
            p = subprocess.run([program, GUEST, "7000", str(count), str(at_once), str(seed), str(size)], timeout=patience,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        except subprocess.TimeoutExpired as e:
            raise Failure(f"no end in {patience} s", (e.stdout or b"").decode()[-2000:], w.text()) from None
        print(p.stdout[-500:])
        if p.returncode:
            raise Failure("transfers failed", p.stdout[-3000:], tail(case.path("console")))


def cases(name):
    short = [Case(f"{name}/{wire}", lambda case, wire=wire: transfers(case, wire, 120, 8, 400_000, 1, 200), 260)
             for wire in WIRES]
    # 10,000 in all, each seed another run
    long = [Case(f"{name}/long-{wire}", lambda case, wire=wire: transfers(case, wire, 1250, 16, 1_000_000, 2, 3000), 3100,
                 slow=True) for wire in WIRES]
    return short + long
