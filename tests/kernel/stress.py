"""The lowest layers of the kernel under load, as a kernel of their own: tests/kernel/stress.c."""
import os

from bare import boot
from case import BUILD, Case, Failure, tail


def stress(cpus, memory):
    def run(case):
        status = boot(case, os.path.join(BUILD, "stress-x86_64.elf"), cpus, memory)
        if status != 1:     # (0 << 1) | 1
            raise Failure(f"QEMU's exit status {status}", tail(case.path("console"), 60))
    return run


def cases(name):
    return [Case(f"{name}/{cpus}cpus-{memory}m", stress(cpus, memory), 240, slow=cpus != 2, needs=("stress",))
            for cpus, memory in ((1, 12), (2, 32), (4, 32))]
