"""mote's side: images by `mote build`, QEMU's arguments by `mote run --dry-run`."""
import os
import re
import shlex
import subprocess

from bench import BUILD, GUEST_IP, HOST_IP, MAC, MOTE, TAP, die, own_program, work
from linux import APPS, program

KERNEL = os.path.join(BUILD, "kernel-x86_64.elf")
STRIPPED = os.path.join(BUILD, "kernel-x86_64.stripped.elf")


def environment():
    return dict(os.environ, XDG_DATA_HOME=work("data"))


def command(app):
    """The options, the program and its arguments, as for `mote run`."""
    name, args, extra, _ = APPS[app]
    options = []
    for path, content in extra.items():
        if isinstance(content, bytes):
            source = work(path.strip("/").replace("/", "-"))
            with open(source, "wb") as f:
                f.write(content)
            content = source
        options += ["-f", f"{content}:{path}"]
    return options, [program(name) if name else own_program(app), *args]


def run(argv):
    p = subprocess.run(argv, env=environment(), capture_output=True, text=True)
    if p.returncode:
        die(f"{shlex.join(argv)}\n{p.stderr}{p.stdout[-500:]}")
    return p.stdout


def image(app):
    """Build APP's image; its path."""
    options, argv = command(app)
    out = work(f"{app}.img")
    run([MOTE, "build", "-o", out, *options, argv[0]])
    return out


def arguments(app, memory, icount=False, network=False, cpus=1):
    """QEMU's arguments for APP, without what bench.Guest adds itself."""
    options, argv = command(app)
    net = ["--net", f"tap:{TAP}", "--ip", f"{GUEST_IP}/24,{HOST_IP}"] if network else ["--net", "none"]
    words = shlex.split(run([MOTE, "run", "--dry-run", "--engine", "tcg", "-m", f"{memory}M", "-c", str(cpus), *net, *options, *argv]))
    args, skip = [], {"-accel", "-display", "-serial", "-monitor"}
    words = words[1:]
    while words:
        word = words.pop(0)
        if word in skip:
            words.pop(0)
        elif word == "-chardev" and "id=console" in words[0]:
            words.pop(0)
        elif word == "-no-reboot":
            pass
        elif word == "-device" and words[0].startswith("virtio-net-device"):
            args += [word, words.pop(0) + f",mac={MAC}"]
        elif word == "-append" and icount:     # a clock of 1 GHz: one instruction, one nanosecond
            args += [word, re.sub(r"mote\.tsc_khz=\d+", "mote.tsc_khz=1000000", words.pop(0))]
        else:
            args.append(word)
    return args
