"""The kernel starts wherever a Linux kernel does: QEMU's machines, with and without ACPI, on processors old and new."""
import os
import subprocess

from case import BUILD, MOTE, Case, Failure, expect, tail

KERNEL = os.path.join(BUILD, "kernel-x86_64.elf")
SOURCE = """
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	usleep(20000);
	printf("%ld cpus, %s, %s\\n", sysconf(_SC_NPROCESSORS_ONLN), getenv("GREETING"), argv[argc - 1]);
	return 5;
}
"""
# name: machine, processor, CPUs, the disk's bus
MACHINES = {
    "microvm": ("microvm", "max", 4, "device"),
    "microvm-no-acpi": ("microvm,acpi=off,pic=off,pit=off,rtc=off,auto-kernel-cmdline=off", "max", 4, "device"),
    "microvm-qemu64": ("microvm", "qemu64", 1, "device"),
    "microvm-masked": ("microvm", "max,-smap,-smep,-umip,-xsave,-cx16,-popcnt,-rdrand,-rdseed", 2, "device"),
    "q35": ("q35", "max", 4, "pci"),
    "q35-old": ("q35", "Nehalem", 2, "pci"),
    "pc": ("pc", "max", 4, "pci"),
    "pc-no-acpi": ("pc,acpi=off", "qemu64", 2, "pci"),
}


def boot(machine, cpu, cpus, bus):
    def run(case):
        with open(case.path("program.c"), "w") as f:
            f.write(SOURCE)
        subprocess.run(["gcc", "-O", "-static", "-o", case.path("program"), case.path("program.c")], check=True)
        subprocess.run([MOTE, "build", "-o", case.path("image"), case.path("program")], check=True, stdout=subprocess.DEVNULL)
        argv = ["qemu-system-x86_64", "-machine", machine, "-accel", "tcg", "-cpu", cpu, "-smp", str(cpus), "-m", "128",
                "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-kernel", KERNEL,
                "-append", "root=/dev/vda quiet console=ttyS0 GREETING=hello mote.exit_port=0x501 -- \"a word\"",
                "-drive", f"if=none,id=root,format=raw,readonly=on,file={case.path('image')}",
                "-device", f"virtio-blk-{bus},drive=root", "-serial", "stdio",
                "-device", "isa-debug-exit,iobase=0x501,iosize=4"]
        with open(case.path("console"), "wb") as out:
            status = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT).returncode
        with open(case.path("console"), "rb") as f:
            lines = [line for line in f.read().decode(errors="replace").splitlines()
                     if line and not line.startswith(("mote: [", "qemu-system"))]
        if status != 5 << 1 | 1:
            raise Failure(f"QEMU's exit status {status}", tail(case.path("console")))
        expect("output", lines[-1:], [f"{cpus} cpus, hello, a word"])
    return run


def cases(name):
    return [Case(f"{name}/{key}", boot(*what), 120, needs=("mote",)) for key, what in MACHINES.items()]
