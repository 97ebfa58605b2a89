"""Programs that are none, or hostile: one line, the right exit status, never a crash."""
import os
import random
import struct
import subprocess

import pytest

from conftest import MOTE


def write(path, data, mode=0o755):
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, mode)
    return str(path)


def read(path):
    with open(path, "rb") as f:
        return bytearray(f.read())


def segments(elf):
    """(offset of the header, type, index) of each program header."""
    at, size, n = struct.unpack_from("<Q", elf, 32)[0], *struct.unpack_from("<HH", elf, 54)
    return [(at + i * size, struct.unpack_from("<I", elf, at + i * size)[0]) for i in range(n)]


def first(elf, kind):
    return next(at for at, t in segments(elf) if t == kind)


LOAD, DYNAMIC, INTERP = 1, 2, 3
OFFSET, ADDRESS, FILE_SIZE, MEMORY_SIZE, ALIGN = 8, 16, 32, 40, 48


def test_text_is_no_program(mote, tmp_path):
    assert "not an ELF file" in mote.fails(126, "build", write(tmp_path / "x", b"echo hello\n"))


def test_empty_file(mote, tmp_path):
    assert "not an ELF file" in mote.fails(126, "build", write(tmp_path / "x", b""))


def test_not_there(mote, tmp_path):
    assert "cannot find" in mote.fails(127, "build", "./nothing")
    assert "cannot find the program" in mote.fails(127, "build", "no-such-program-anywhere")


def test_not_executable(mote, hello):
    os.chmod(hello, 0o644)
    assert "chmod +x" in mote.fails(126, "build", hello)


def test_other_machine(mote, hello):
    elf = read(hello)
    struct.pack_into("<H", elf, 18, 183)
    assert "AArch64" in mote.fails(126, "build", write(hello, elf))


def test_32_bit(mote, hello):
    elf = read(hello)
    struct.pack_into("<H", elf, 18, 3)
    assert "i386" in mote.fails(126, "build", write(hello, elf))


def test_big_endian(mote, hello):
    elf = read(hello)
    elf[5] = 2
    assert "big-endian" in mote.fails(126, "build", write(hello, elf))


def test_shared_library_is_no_program(mote, compile):
    assert "shared library" in mote.fails(126, "build", compile("libx.so", "int x;", "-shared", "-fPIC", "-nostdlib"))


@pytest.mark.parametrize("keep", [1, 4, 16, 63, 64, 100, 700, 5000, 12000])
def test_truncated(mote, hello, keep):
    elf = read(hello)
    line = mote.fails(126, "build", write(hello, elf[:keep]))
    assert "truncated" in line or "not an ELF" in line


@pytest.mark.parametrize("what, kind, at, value, says", [
    ("memory below file", LOAD, MEMORY_SIZE, 1, "larger in the file"),
    ("huge memory", LOAD, MEMORY_SIZE, 1 << 62, "outside of user memory"),
    ("wrapping memory", LOAD, MEMORY_SIZE, (1 << 64) - 1, "outside of user memory"),
    ("far address", LOAD, ADDRESS, 1 << 63, "outside of user memory"),
    ("far offset", LOAD, OFFSET, 1 << 40, "truncated"),
    ("wrapping offset", LOAD, OFFSET, (1 << 64) - 1, "truncated"),
    ("alignment", LOAD, ALIGN, 3, "power of two"),
    ("interpreter beyond the end", INTERP, OFFSET, 1 << 40, "truncated"),
    ("interpreter without end", INTERP, FILE_SIZE, 3, "damaged"),
    ("long interpreter", INTERP, FILE_SIZE, 1 << 40, "bad length"),
    ("dynamic beyond the end", DYNAMIC, OFFSET, 1 << 40, "truncated"),
    ("endless dynamic", DYNAMIC, FILE_SIZE, 1 << 40, "too large"),
])
def test_hostile_header(mote, hello, what, kind, at, value, says):
    elf = read(hello)
    struct.pack_into("<Q", elf, first(elf, kind) + at, value)
    assert says in mote.fails(126, "build", write(hello, elf)), what


def test_overlapping_segments(mote, hello):
    elf = read(hello)
    loads = [at for at, t in segments(elf) if t == LOAD]
    elf[loads[1] + OFFSET:loads[1] + ALIGN] = elf[loads[0] + OFFSET:loads[0] + ALIGN]
    assert "overlap" in mote.fails(126, "build", write(hello, elf))


def test_no_segments(mote, hello):
    elf = read(hello)
    struct.pack_into("<H", elf, 56, 0)
    assert "no program headers" in mote.fails(126, "build", write(hello, elf))


def test_missing_loader(mote, compile):
    program = compile("p", "int main(void) { return 0; }", "-Wl,--dynamic-linker=/lib/no-such-loader.so.9")
    line = mote.fails(127, "build", program)
    assert "/lib/no-such-loader.so.9" in line and "loader" in line


def test_random_damage_never_crashes(mote, hello):
    """Over a hundred files with some bytes of their headers changed: success or one line."""
    rng = random.Random(1)
    good = read(hello)
    for _ in range(120):
        elf = bytearray(good)
        for _ in range(rng.randint(1, 6)):
            elf[rng.randrange(rng.choice((64, 64 + 56 * 13, len(elf))))] = rng.choice((0, 0xff, 0x7f, rng.randrange(256)))
        write(hello, elf)
        p = subprocess.run([MOTE, "build", "-o", "out.img", hello], env=mote.env, cwd=mote.folder,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        text = p.stderr.decode(errors="replace")
        assert p.returncode in (0, 125, 126, 127), (p.returncode, text)
        assert p.returncode == 0 or (text.startswith("mote: ") and text.count("\n") == 1), text


def test_nothing_is_left_behind(mote, tmp_path, hello):
    elf = read(hello)
    before = sorted(os.listdir(mote.folder))
    mote.fails(126, "build", "-o", "out.img", write(hello, elf[:2000]))
    assert sorted(os.listdir(mote.folder)) == before


def test_a_file_that_shrinks_is_said(mote):
    """Files of sysfs say they are longer than they are, as one that shrinks while it is read."""
    path = "/sys/devices/system/cpu/online"
    if not os.path.exists(path):
        pytest.skip("no sysfs")
    assert "changed while it was read" in mote.fails(125, "build", "-o", "out.img", "-f", f"{path}:/online", "/bin/true")
    assert not os.path.exists(os.path.join(mote.folder, "out.img"))
