"""A kernel of its own in a bare machine: tests/kernel/*.c in place of kernel/main.c."""
import subprocess


def boot(case, kernel, cpus, memory, arguments=""):
    """QEMU's exit status; what the kernel said is in the file console."""
    argv = ["qemu-system-x86_64", "-machine", "microvm", "-accel", "tcg", "-cpu", "max", "-smp", str(cpus), "-m", str(memory),
            "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-kernel", kernel,
            "-append", "mote.exit_port=0x501 " + arguments, "-serial", "stdio", "-device", "isa-debug-exit,iobase=0x501,iosize=4"]
    with open(case.path("console"), "wb") as out:
        return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out).returncode
