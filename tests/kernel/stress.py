"""The lowest layers of the kernel under load, as a kernel of their own: tests/kernel/stress.c."""
import os
import subprocess

from case import BUILD, Case, Failure, tail


def stress(cpus, memory):
    def run(case):
        kernel = os.path.join(BUILD, "stress-x86_64.elf")
        argv = ["qemu-system-x86_64", "-machine", "microvm", "-accel", "tcg", "-cpu", "max", "-smp", str(cpus), "-m", str(memory),
                "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-kernel", kernel,
                "-append", "mote.exit_port=0x501", "-serial", "stdio", "-device", "isa-debug-exit,iobase=0x501,iosize=4"]
        with open(case.path("console"), "wb") as out:
            status = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out).returncode
        if status != 1:     # (0 << 1) | 1
            raise Failure(f"QEMU's exit status {status}", tail(case.path("console"), 60))
    return run


def cases(name):
    return [Case(f"{name}/{cpus}cpus-{memory}m", stress(cpus, memory), 240, slow=cpus != 2, needs=("stress",))
            for cpus, memory in ((1, 12), (2, 32), (4, 32))]
