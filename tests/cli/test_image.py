"""The images: what every ext4 tool says about them, and what mote image says."""
import hashlib
import json
import os
import random
import struct
import subprocess

import pytest

from conftest import MOTE, check_image


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


@pytest.fixture
def folder(tmp_path):
    """A folder with everything a file system may hold."""
    f = tmp_path / "folder"
    (f / "empty").mkdir(parents=True)
    (f / "a" / "b" / "c").mkdir(parents=True)
    (f / "text").write_text("text\n")
    (f / "nothing").write_text("")
    (f / "block").write_bytes(b"x" * 4096)
    (f / "more").write_bytes(bytes(range(256)) * 40)
    (f / "zeros").write_bytes(bytes(100000))
    with open(f / "sparse", "wb") as s:
        for at in range(0, 3000):
            s.seek(at * 3 * 4096)
            s.write(b"data at %d" % at)
    (f / "link").symlink_to("text")
    (f / "long-link").symlink_to("x/" * 60 + "y")
    (f / "longest-link").symlink_to("z" * 3000)
    (f / ("n" * 255)).write_text("long name")
    many = f / "many"
    many.mkdir()
    for i in range(3000):
        (many / f"file-{i:05}-{'x' * (i % 50)}").write_text(str(i))
    os.link(f / "text", f / "hard-link")
    os.chmod(f / "text", 0o4751)
    os.utime(f / "text", ns=(0, 1_600_000_000_123_456_789))
    os.utime(f / "more", ns=(0, 5_000_000_000_000_000_000))
    return f


def same_tree(a, b):
    for at, folders, files in os.walk(a):
        other = os.path.join(b, os.path.relpath(at, a))
        for name in folders + files:
            x, y = os.path.join(at, name), os.path.join(other, name)
            assert os.path.lexists(y), y
            if os.path.islink(x):
                assert os.readlink(x) == os.readlink(y)
            elif os.path.isfile(x):
                assert digest(x) == digest(y), x
                assert os.stat(x).st_mode & 0o777 == os.stat(y).st_mode & 0o777, x


def test_everything_arrives(mote, folder, tmp_path):
    image = mote.build(folder)
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run(["debugfs", "-R", f"rdump / {out}", image], stderr=subprocess.DEVNULL, check=True)
    same_tree(folder, out)
    stat = subprocess.run(["debugfs", "-R", "stat /text", image], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    assert b"Mode:  04751" in stat and b"0x5f5e1000:1d6f3454" in stat
    for name in ("sparse", "more", "nothing", "zeros"):
        assert hashlib.sha256(mote.ok("image", "cat", image, name)).hexdigest() == digest(folder / name)
    assert mote.tree(image)["/longest-link"]["target"] == "z" * 3000


def test_holes_take_no_space(mote, folder):
    image = mote.build(folder)
    stat = subprocess.run(["debugfs", "-R", "stat /zeros", image], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    assert b"Blockcount: 0" in stat
    stat = subprocess.run(["debugfs", "-R", "stat /sparse", image], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    blocks = int(stat.split(b"Blockcount: ")[1].split()[0]) // 8
    assert 3000 <= blocks <= 3015       # one per piece, and the extent tree


def test_the_same_bytes_again(mote, folder, tmp_path):
    first = digest(mote.build(folder, name="1.img"))
    assert digest(mote.build(folder, name="2.img", cwd="/", env={"TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"})) == first
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-a", folder, copy], check=True)
    assert digest(mote.build(copy, name="3.img")) == first
    (copy / "text").write_text("other")
    assert digest(mote.build(copy, name="4.img")) != first
    program = [digest(mote.build("/bin/ls", name=f"{n}.img")) for n in range(2)]
    assert program[0] == program[1]


def test_source_date_epoch(mote, folder):
    image = mote.build(folder, env={"SOURCE_DATE_EPOCH": "1000000000"})
    assert all(e["mtime"] <= 1000000000 for e in mote.tree(image).values())


def test_what_linux_expects_is_there(mote):
    tree = mote.tree(mote.build("/bin/true"))
    for path in ("/dev", "/proc", "/sys", "/tmp", "/run", "/root", "/var/tmp", "/etc/passwd", "/etc/group", "/etc/hosts",
                 "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/hostname"):
        assert path in tree
    assert tree["/tmp"]["mode"] == 0o1777
    image = os.path.join(mote.folder, "test.img")
    people = [line.split(":") for line in mote.ok("image", "cat", image, "/etc/passwd").decode().splitlines()]
    assert all(int(p[2]) < 1000 or p[0] == "nobody" for p in people) and people[0][0] == "root"


def test_larger_on_demand(mote, tmp_path):
    image = mote.build("--size", "300M", "/bin/true")
    facts = json.loads(mote.ok("image", "inspect", "--json", image))
    assert facts["blocks"] * 4096 == os.path.getsize(image) == 300 << 20
    assert facts["disk_bytes"] < 8 << 20 and facts["label"] == "mote-root"


def test_file_larger_than_a_group(mote, tmp_path):
    big = tmp_path / "big"
    rng = random.Random(2)
    with open(big, "wb") as f:
        for _ in range(140):
            f.write(rng.randbytes(1 << 20))
    image = mote.build("-f", f"{big}:/big", "/bin/true")
    assert hashlib.sha256(mote.ok("image", "cat", image, "/big")).hexdigest() == digest(big)


def test_added_files(mote, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("hi")
    tree = mote.tree(mote.build("-f", f"{tmp_path}/site:/srv/www", "-f", f"{tmp_path}/site/index.html", "/bin/true"))
    assert "/srv/www/index.html" in tree and f"{tmp_path}/site/index.html" in tree
    assert "check the name" in mote.fails(125, "build", "-f", "/no/such", "/bin/true")


def test_defaults(mote):
    image = mote.build("-e", "A=b c", "-w", "/tmp", "/bin/echo", "one", "two words", 'quo"te\\', "new\nline", "")
    facts = json.loads(mote.ok("image", "inspect", "--json", image))
    assert facts["program"].endswith("/echo") and facts["workdir"] == "/tmp"
    assert facts["arguments"] == ["one", "two words", 'quo"te\\', "new\nline", ""]
    assert "A=b c" in facts["environment"]


def test_output_may_follow_the_program(mote):
    mote.ok("build", "/bin/echo", "-o", "app.img", "-o", "kept")
    facts = json.loads(mote.ok("image", "inspect", "--json", "app.img"))
    assert facts["arguments"] == ["-o", "kept"]


def test_looking_into_images_of_others(mote, folder, tmp_path):
    image = str(tmp_path / "other.img")
    (folder / "longest-link").unlink()          # e2fsprogs 1.47 refuses that one
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", folder, image, "64M"], check=True)
    assert "/many/file-00007-xxxxxxx" in mote.tree(image)
    assert b"text" in mote.ok("image", "cat", image, "/link")
    assert b"nothing" in mote.ok("image", "ls", image)
    assert "No such file" in mote.fails(125, "image", "cat", image, "/missing")


def test_no_image(mote, tmp_path):
    (tmp_path / "junk").write_bytes(bytes(8192))
    for words in (["ls", "junk"], ["ls", "missing"], ["cat", "junk", "/x"], ["tree", "junk"], ["inspect", "junk"]):
        assert "cannot read" in mote.fails(125, "image", *words)


def test_damaged_images_never_crash(mote, folder):
    """Bytes changed in the metadata: an answer or one line, in bounded time."""
    good = bytearray(open(mote.build(folder), "rb").read())
    rng = random.Random(3)
    statuses = set()
    for n in range(40):
        bad = bytearray(good)
        for _ in range(rng.randint(1, 20)):
            at = rng.choice((rng.randrange(1024, 2048), rng.randrange(4096, 12288), rng.randrange(200 * 4096)))
            bad[at] = rng.randrange(256)
        path = os.path.join(mote.folder, "bad.img")
        with open(path, "wb") as f:
            f.write(bad)
        for words in (["tree", path], ["inspect", "--json", path], ["cat", path, "/sparse"]):
            p = subprocess.run([MOTE, "image", *words], env=mote.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               timeout=20)
            text = p.stderr.decode(errors="replace")
            assert p.returncode in (0, 125), (n, words, p.returncode, text)
            assert p.returncode == 0 or (text.startswith("mote: ") and text.count("\n") == 1), text
            statuses.add(p.returncode)
    assert 125 in statuses


def test_full_disk_leaves_nothing(mote, tmp_path, folder):
    """No space: one line and no file.  A size limit stands for the full disk."""
    p = subprocess.run(["bash", "-c", f"ulimit -f 1000; trap '' XFSZ; exec {MOTE} build -o small.img {folder}"],
                       env=mote.env, cwd=tmp_path, stderr=subprocess.PIPE)
    assert p.returncode == 125 and p.stderr.startswith(b"mote: cannot write the image"), p.stderr
    assert not [n for n in os.listdir(tmp_path) if n.startswith("small")]


def test_checksums_are_valid_in_a_journaled_reader(mote, folder):
    """dumpe2fs reads every group's checksums."""
    image = mote.build(folder)
    p = subprocess.run(["dumpe2fs", image], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert p.returncode == 0 and b"metadata_csum" in p.stdout and b"extent" in p.stdout
    check_image(image)
    with open(image, "rb") as f:
        f.seek(1024 + 56)
        assert struct.unpack("<H", f.read(2))[0] == 0xef53
