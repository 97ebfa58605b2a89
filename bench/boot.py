"""Group boot: how little a machine costs before and beside its program (the table of issue 2)."""
import os
import subprocess

import linux
import mote
from bench import BUILD, Guest, http_get, private_network, pvh_entry, redis_get, row, say, smallest

SIDES = (("mote", mote.arguments), ("linux", linux.arguments))


def first_instruction():
    """Exact counts under icount, from the kernel's PVH entry to the program's first instruction."""
    found = {}
    for side, arguments in SIDES:
        kernel = mote.KERNEL if side == "mote" else linux.kernel()
        counters = {"entry": f"{pvh_entry(kernel):x}", "first_user": 1, "quit": 1}
        with Guest(f"first-{side}", arguments("hello", 128, icount=True), icount=True, counters=counters) as g:
            events = g.events()
            if "entry" not in events or "first_user" not in events:
                g.trouble(f"{side}: no instruction of the program was reached")
        total, rep = (events["first_user"][k] - events["entry"][k] for k in ("insns", "rep_iters"))
        found[side] = total, total - rep
    yield row("instructions, kernel entry to the program's first, static hello", "instructions", found["mote"][0],
              found["linux"][0], 2_000_000)
    yield row("the same without iterations of rep", "instructions", found["mote"][1], found["linux"][1])


def memory():
    for app, goal in (("hello", 12), ("redis", 32)):
        found = {}
        for side, arguments in SIDES:
            def runs(mib):
                with Guest(f"memory-{side}", arguments(app, mib), count=False) as g:
                    return g.reaches(linux.APPS[app][3], 12)
            found[side] = smallest(runs, 2, 128)     # mote run takes no less than 2
        yield row(f"smallest memory that runs {app}", "MiB", found["mote"], found["linux"], goal)


def kernel_size():
    out = os.path.join(BUILD, "bench", "vmlinux.stripped")
    subprocess.run(["strip", "-o", out, linux.kernel()], check=True)
    yield row("kernel ELF, stripped", "bytes", os.path.getsize(mote.STRIPPED), os.path.getsize(out), 500_000)


def image_size():
    for app in ("hello", "redis"):
        cpio, used = linux.initramfs(app)
        yield row(f"image beyond program and libraries, {app}", "bytes", os.path.getsize(mote.image(app)) - used,
                  os.path.getsize(cpio) - used, 1_000_000)


def per_request():
    private_network()
    for app, port, load, figure, goal in (
            ("redis", 6379, redis_get(), "kernel instructions per redis GET, 50 connections", 11_400),
            ("nginx", 8080, http_get(), "kernel instructions per nginx request, 612 B keep-alive, 32 connections", 21_600)):
        found = {}
        for side, arguments in SIDES:
            with Guest(f"{app}-{side}", arguments(app, 256, network=True)) as g:
                g.serves(port)
                found[side] = g.per_operation(load)
                say(f"  {side}: {found[side]['kernel']:,} kernel and {found[side]['user']:,} user instructions each")
        yield row(figure, "instructions", found["mote"]["kernel"], found["linux"]["kernel"], goal)


MEASUREMENTS = (first_instruction, memory, kernel_size, image_size, per_request)
