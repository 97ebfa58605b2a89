"""Disks of every kind the kernel drives, as root and as a volume that is written to; partitions found by their ids."""
import os
import struct
import subprocess
import uuid
import zlib

from case import BUILD, MOTE, Case, Failure, expect, tail

KERNEL = os.path.join(BUILD, "kernel-x86_64.elf")
SECTOR, START, SIZE = 512, 4096, 32 << 20
ID = "11223344-5566-7788-99aa-bbccddeeff00"
SOURCE = """
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static char a[1 << 20], b[1 << 20];
int main(int argc, char **argv)
{
	int fd = open("/data/x", O_CREAT | O_RDWR | O_APPEND, 0600);
	for (int i = 0; i < sizeof(a); i++)
		a[i] = (char)(i * 7 + i / 4096);
	long before = lseek(fd, 0, SEEK_END);
	for (long at = 0; at < before; at += sizeof(b)) {
		if (pread(fd, b, sizeof(b), at) != sizeof(b))
			perror("read");
		for (int i = 0; i < sizeof(a); i++)
			if (a[i] != b[i])
				return printf("byte %ld is wrong\\n", at + i), 1;
	}
	if (write(fd, a, sizeof(a)) != sizeof(a) || fsync(fd))
		perror("write");
	printf("%ld before\\n", before);
	return 5;
}
"""


def gpt(path, image):
    """The image as the second partition of a disk."""
    end = START + SIZE // SECTOR - 1
    entry = struct.pack("<16s16sQQQ72s", uuid.uuid4().bytes_le, uuid.UUID(ID).bytes_le, START, end, 0, b"")
    table = bytes(128) + entry + bytes(128 * 126)
    header = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, 1, end + 100, 34, end + 1, uuid.uuid4().bytes_le,
                         2, 128, 128, zlib.crc32(table))
    mbr = bytes(446) + struct.pack("<B3sB3sII", 0, b"", 0xee, b"", 1, end) + bytes(48) + b"\x55\xaa"
    write(path, image, {0: mbr, 1: header, 2: table})


def mbr(path, image):
    """The image as a logical partition."""
    signature, n = bytes(440) + struct.pack("<I", 0xcafe1234) + bytes(2), SIZE // SECTOR
    table = signature + bytes(16) + struct.pack("<B3sB3sII", 0, b"", 5, b"", 2048, n + START) + bytes(32) + b"\x55\xaa"
    logical = bytes(446) + struct.pack("<B3sB3sII", 0, b"", 0x83, b"", START - 2048, n) + bytes(48) + b"\x55\xaa"
    write(path, image, {0: table, 2048: logical})


def write(path, image, sectors):
    with open(path, "wb") as f, open(image, "rb") as i:
        for at, data in sectors.items():
            f.seek(at * SECTOR)
            f.write(data)
        f.seek(START * SECTOR)
        f.write(i.read())
        f.truncate(START * SECTOR + SIZE + (1 << 20))


# name: machine, root=, the root's device, mote.mount=, the volume's device, the volume's table
DISKS = {
    "nvme-root": ("q35", "/dev/nvme0n1", "nvme,serial=r", "/dev/vda", "virtio-blk-pci", None),
    "nvme": ("q35", "/dev/vda", "virtio-blk-pci", "LABEL=vol", "nvme,serial=v", None),
    "nvme-pc": ("pc", "/dev/nvme0n1", "nvme,serial=r", "/dev/nvme1n1", "nvme,serial=v", None),
    "gpt": ("q35", "/dev/vda", "virtio-blk-pci", "PARTUUID=" + ID.upper(), "virtio-blk-pci", gpt),
    "gpt-nvme": ("q35", "/dev/vda", "virtio-blk-pci", "/dev/nvme0n1p2", "nvme,serial=v", gpt),
    "mbr-logical": ("q35", "/dev/vda", "virtio-blk-pci", "PARTUUID=CAFE1234-05", "virtio-blk-pci", mbr),
    "mbr-label": ("q35", "/dev/vda", "virtio-blk-pci", "LABEL=vol", "virtio-blk-pci", mbr),
}


def boot(case, machine, root, root_device, mount, device, disk):
    argv = ["qemu-system-x86_64", "-machine", machine, "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "128",
            "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-kernel", KERNEL,
            "-append", f"root={root} quiet console=ttyS0 mote.mount={mount}:/data mote.exit_port=0x501",
            "-drive", f"if=none,id=root,format=raw,readonly=on,file={case.path('image')}", "-device", root_device + ",drive=root",
            "-drive", f"if=none,id=volume,format=raw,file={disk}", "-device", device + ",drive=volume",
            "-serial", "stdio", "-device", "isa-debug-exit,iobase=0x501,iosize=4"]
    with open(case.path("console"), "wb") as out:
        status = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT).returncode
    if status != 5 << 1 | 1:
        raise Failure(f"QEMU's exit status {status}", tail(case.path("console")))
    with open(case.path("console"), "rb") as f:
        return f.read().decode(errors="replace").splitlines()[-1]


def disk_case(machine, root, root_device, mount, device, table):
    def run(case):
        with open(case.path("program.c"), "w") as f:
            f.write(SOURCE)
        subprocess.run(["gcc", "-O", "-static", "-o", case.path("program"), case.path("program.c")], check=True)
        subprocess.run([MOTE, "build", "-o", case.path("image"), case.path("program")], check=True, stdout=subprocess.DEVNULL)
        volume, disk = case.path("volume"), case.path("disk")
        with open(volume, "wb") as f:
            f.truncate(SIZE)
        subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext4", "-L", "vol", volume], check=True)
        if table:
            table(disk, volume)
        else:
            os.rename(volume, disk)
        for n in range(3):
            line = boot(case, machine, root, root_device, mount, device, disk)
            expect(f"boot {n + 1}", line, f"{n << 20} before")
        if table:
            with open(disk, "rb") as f, open(volume, "wb") as v:
                f.seek(START * SECTOR)
                v.write(f.read(SIZE))
        p = subprocess.run(["/sbin/e2fsck", "-fn", volume if table else disk], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        expect("e2fsck -fn", (p.returncode, p.stdout.decode() if p.returncode else ""), (0, ""))
    return run


def cases(name):
    return [Case(f"{name}/{key}", disk_case(*what), 120, needs=("mote",)) for key, what in DISKS.items()]
