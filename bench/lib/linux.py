"""The reference: a minimal Linux guest (linux/kernel.config) that runs the same unmodified programs."""
import os
import re
import shutil
import subprocess

from bench import GUEST_IP, HERE, MAC, TAP, cached, compile_program, die, host_tsc_khz, own_program, read, work

# program, its arguments, more files {path in the guest: file here or bytes}, console text when ready
APPS = {
    "hello": (None, [], {}, b"HELLO from app"),
    "abi": (None, [], {}, None),
    "redis": ("redis-server", ["--save", "", "--appendonly", "no", "--protected-mode", "no", "--bind", "0.0.0.0",
              "--port", "6379", "--dir", "/tmp"], {}, b"eady to accept"),
    "nginx": ("nginx", ["-c", "/etc/nginx.conf", "-e", "stderr"],
              {"/etc/nginx.conf": os.path.join(HERE, "linux", "nginx.conf"), "/www/index.html": b"x" * 611 + b"\n",
               "/www/100k": b"y" * 102400}, None),
    "iperf": ("iperf3", ["-s", "-p", "5201"], {}, None),
    "memcached": ("memcached", ["-u", "root", "-t", "4", "-p", "11211", "-U", "0", "-c", "60000"], {}, None),
}


def program(name):
    path = shutil.which(name, path="/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin")
    return path or die(f"{name} is not installed: make deps")


def kernel():
    return cached("kernel/vmlinux")


def with_libraries(path):
    """{path in the guest: bytes} of a program and what it loads."""
    files = {"bin/" + os.path.basename(path): read(path)}
    listed = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
    for library in re.findall(r"(/\S+)", listed):
        files[("lib64/" if "ld-linux" in library else "lib/") + os.path.basename(library)] = read(library)
    return files


def initramfs(app):
    """The path of APP's initramfs (uncompressed), and the bytes of its program and libraries."""
    name, args, extra, _ = APPS[app]
    files = {"etc/passwd": b"root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:n:/:/x\n",
             "etc/group": b"root:x:0:\nnogroup:x:65534:\n", "etc/hosts": b"127.0.0.1 localhost"}
    if name:
        own = with_libraries(program(name))
        files.update(own)
        files["init"] = read(compile_program("init", os.path.join(HERE, "linux", "init.c"), "-static"))
        files["app.args"] = "".join(a + "\n" for a in ["/bin/" + name, *args]).encode()
        files.update({k.lstrip("/"): v if isinstance(v, bytes) else read(v) for k, v in extra.items()})
        used = sum(map(len, own.values()))
    else:
        files["init"] = read(own_program(app))
        used = len(files["init"])
    out = work(f"{app}.cpio")
    write_cpio(out, files)
    return out, used


def write_cpio(out, files):
    entries = {d: (0o40755, b"", (0, 0)) for d in ". bin dev etc lib lib64 proc run sys tmp usr var var/log".split()}
    for name, data in files.items():
        entries[os.path.dirname(name) or "."] = (0o40755, b"", (0, 0))
        runs = name == "init" or name.startswith(("bin/", "lib64/"))
        entries[name] = (0o100755 if runs else 0o100644, data, (0, 0))
    entries["dev/console"] = (0o20600, b"", (5, 1))
    entries["dev/null"] = (0o20666, b"", (1, 3))
    with open(out, "wb") as f:
        def entry(ino, name, mode, data, device):
            raw = name.encode() + b"\0"
            fields = (ino, mode, 0, 0, 2 if mode & 0o40000 else 1, 0, len(data), 0, 0, *device, len(raw), 0)
            f.write(b"070701" + b"".join(b"%08X" % v for v in fields) + raw)
            f.write(b"\0" * (-f.tell() % 4) + data)
            f.write(b"\0" * (-f.tell() % 4))
        for ino, name in enumerate(sorted(entries, key=lambda n: n.encode()), 1):
            entry(ino, name, *entries[name])
        entry(0, "TRAILER!!!", 0, b"", (0, 0))
        f.write(b"\0" * (-f.tell() % 512))


def arguments(app, memory, icount=False, network=False, cpus=1):
    """QEMU's arguments.  What a guest under KVM need not calibrate is given on the command line."""
    line = "console=ttyS0 rdinit=/init quiet tsc=reliable no_timer_check panic=-1"
    line += " nolapic_timer tsc_early_khz=1000000 lpj=10000000" if icount else f" tsc_early_khz={host_tsc_khz()}"
    args = ["-machine", "microvm,rtc=on,pit=on,pic=on,isa-serial=on,acpi=off", "-cpu", "max", "-nodefaults", "-m", str(memory), "-smp", str(cpus),
            "-kernel", kernel(), "-initrd", initramfs(app)[0]]
    if network:
        line += f" pci=off GIP={GUEST_IP}"
        args += ["-global", "virtio-mmio.force-legacy=false", "-netdev", f"tap,id=net,ifname={TAP},script=no,downscript=no",
                 "-device", f"virtio-net-device,netdev=net,mac={MAC}"]
    return [*args, "-append", line]
