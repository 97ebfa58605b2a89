"""50,000 idle connections: 2 KB each at most, and the last one answers as fast as the first."""
from case import Case, Failure, expect
from machine import run
from wire import compiled


def idle(case):
    program = compiled(case, "idle", "-static")
    status, output = run(case, ["-m", "256M"], program, ["25000"])
    expect("exit status", status, 0)
    each, first, last = map(int, output.split()[-3:])
    print(f"{each} bytes each; the first answers in {first} ns, the last in {last} ns")
    if each > 2048:
        raise Failure(f"a connection costs {each} bytes")
    # The fastest of 500 on a busy host: wide, but a list to walk would take a hundred times as long.
    if last > first * 1.5 + 5000:
        raise Failure(f"the first answers in {first} ns, the last in {last} ns")


def cases(name):
    return [Case(name, idle, 600, slow=True)]
