"""Group abi: what a program's operations cost in guest instructions (the table of issue 3)."""
import linux
import mote
from bench import Guest, row

SIDES = (("mote", mote.arguments), ("linux", linux.arguments))
# name in guest/abi.c, what it is, rounds, goal, goal as a share of Linux's count
OPERATIONS = (
    ("null", "system call that does nothing", 20000, 150, None),
    ("fault-small", "anonymous page, 64 KB maps made, touched, gone; per page", 16384, 1200, None),
    ("fault-random", "anonymous page of 4 KB, out of order", 4096, 1200, None),
    ("fault-64m", "64 MB touched in order, per 4 KB", 16384, None, 1 / 8),
    ("map", "mmap and munmap of 64 KB untouched", 4000, None, None),
    ("pipe", "pipe ping-pong between two threads, round trip", 4000, 4000, None),
    ("futex", "futex ping-pong between two threads, round trip", 4000, None, None),
    ("epoll", "eventfd write, epoll_wait, read", 4000, None, None),
    ("read", "pread of 4 KB from tmpfs", 4000, None, None),
    ("thread", "pthread_create and join", 4000, 8000, None),
    ("thread-100000", "the same, 100,000 in a row", 100000, 8000, None),
)


def counts(side, arguments):
    """{operation: (all, without iterations of rep)} per round, under icount; the cost of a marker is taken off."""
    markers = [f"@{name} {i}" for name, *_ in OPERATIONS for i in range(3)]
    with Guest(f"abi-{side}", arguments("abi", 256, icount=True), icount=True, markers=markers) as g:
        events = g.events(600)
    found = {}
    for name, _, rounds, *_ in OPERATIONS:
        at = [events.get(f"@{name} {i}") for i in range(3)]
        if None in at:
            continue

        def spent(kind):
            return (at[2][kind] - at[1][kind]) - (at[1][kind] - at[0][kind])
        found[name] = round(spent("insns") / rounds), round((spent("insns") - spent("rep_iters")) / rounds)
    return found


def operations():
    found = {side: counts(side, arguments) for side, arguments in SIDES}
    for name, what, _, goal, share in OPERATIONS:
        ours, theirs = (found[side].get(name, (None, None)) for side in ("mote", "linux"))
        if share and theirs[1]:
            goal = round(theirs[1] * share)
        yield row(what, "instructions", ours[1], theirs[1], goal)
        if name.startswith("fault"):
            yield row("  with every iteration of rep", "instructions", ours[0], theirs[0])


MEASUREMENTS = (operations,)
