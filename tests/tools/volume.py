"""mote volume and mote run -v: what one machine writes the next one reads; one writer at a time; backups of a machine that runs."""
import json
import os
import subprocess

from case import TESTS, Case, Failure, expect
from instances import Instances, until

SOURCE = os.path.join(TESTS, "tools", "volume.c")


def compile_program(case):
    program = case.path("volume")
    subprocess.run(["gcc", "-O1", "-static", "-o", program, SOURCE], check=True)
    return program


def image(i, name):
    return os.path.join(i.home, "mote", "volumes", name + ".img")


def sound(file):
    p = subprocess.run(["e2fsck", "-fn", file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    expect(f"e2fsck -fn {os.path.basename(file)}", (p.returncode, p.stdout.decode() if p.returncode else ""), (0, ""))


def run(i, *words, **options):
    return i("run", "-m", "32M", *words, **options)


def refused(i, part, *words):
    text = i(*words, status=125)
    if part not in text or text.count("\n") != 1:
        raise Failure(f"mote {' '.join(map(str, words))} did not say '{part}' in one line", text)


def keeps(case):
    program = compile_program(case)
    with Instances(case) as i:
        i("volume", "create", "-s", "32M", "db")
        i("volume", "create", "-s", "16M", "other")
        run(i, "-v", "db:/data", program, "append", "/data/x", "20")
        run(i, "-v", "other:/deep/folder/b", "-v", "db:/data", program, "append", "/deep/folder/b/y", "3")
        expect("the next machine", run(i, "-v", "db:/data", program, "show", "/data/x"), "20 lines\n")
        expect("read-only", run(i, "-v", image(i, "other") + ":/d:ro", program, "show", "/d/y"), "3 lines\n")
        if "Read-only file system" not in run(i, "-v", "db:/data:ro", program, "append", "/data/x", "1", status=1):
            raise Failure("a read-only volume was written to")
        i("volume", "resize", "-s", "64M", "db")
        expect("size", json.loads(i("volume", "inspect", "db"))[0]["size"], 64 << 20)
        expect("after resize", run(i, "-v", "db:/data", program, "show", "/data/x"), "20 lines\n")
        expect("full", run(i, "-v", "other:/d", program, "fill", "/d/z"), "No space left on device\n")
        expect("names", [v["name"] for v in json.loads(i("volume", "ls", "--json"))], ["db", "other"])
        for name in ("db", "other"):
            sound(image(i, name))


def bad_input(case):
    program = compile_program(case)
    with Instances(case) as i:
        i("volume", "create", "-s", "32M", "db")
        refused(i, "no volume is called none", "run", "-v", "none:/d", program, "show", "/d/x")
        refused(i, "it is not NAME:/path", "run", "-v", "db", program, "show", "/d/x")
        refused(i, "is there already", "volume", "create", "-s", "32M", "db")
        refused(i, "at least 16M", "volume", "create", "-s", "1M", "small")
        text = case.path("text.img")
        with open(text, "w") as f:
            f.write("text" * 4096)
        refused(i, "holds no ext4 file system", "run", "-v", text + ":/d", program, "show", "/d/x")
        cut = case.path("cut.img")
        i("volume", "backup", "db", cut)
        os.truncate(cut, 8 << 20)
        refused(i, "its file", "run", "-v", cut + ":/d", program, "show", "/d/x")
        damaged = case.path("damaged.img")
        i("volume", "backup", "db", damaged)
        with open(damaged, "r+b") as f:
            f.seek(1024 + 0x20)
            f.write(b"\xff" * 8)
        refused(i, "e2fsck -f", "run", "-v", damaged + ":/d", program, "show", "/d/x")


def one_writer(case):
    program = compile_program(case)
    with Instances(case) as i:
        i("volume", "create", "-s", "32M", "db")
        i.run("writer", program, "append", "/data/x", "0", options=("-v", "db:/data"))
        until("a line", lambda: "wrote 3" in i("logs", "writer"))
        refused(i, "another machine uses it", "run", "-v", "db:/data", program, "show", "/data/x")
        refused(i, "another machine writes to it", "run", "-v", "db:/data:ro", program, "show", "/data/x")
        refused(i, "another machine uses it", "volume", "rm", "db")
        refused(i, "another machine uses it", "volume", "resize", "-s", "64M", "db")
        i("kill", "writer")
        n = int(run(i, "-v", "db:/data", program, "show", "/data/x").split()[0])
        told = int(i("logs", "writer").split()[-1])
        if n < told:
            raise Failure(f"{told} lines were on the disk, the next machine finds {n}")
        sound(image(i, "db"))


def backups(case):
    program = compile_program(case)
    with Instances(case) as i:
        i("volume", "create", "-s", "32M", "db")
        i.run("writer", program, "append", "/data/x", "0", options=("-v", "db:/data"))
        until("a line", lambda: "wrote 5\n" in i("logs", "writer"))
        first, second = case.path("first.img"), case.path("second.delta")
        i("volume", "backup", "db", first)
        until("more", lambda: "wrote 200\n" in i("logs", "writer"))
        told = int(i("logs", "writer").split()[-1])
        i("volume", "backup", "--base", first, "db", second)
        i("volume", "snapshot", "db", "copy")
        expect("status", i.inspect("writer")["state"]["status"], "running")
        i("rm", "-f", "writer")
        sound(first)
        sound(image(i, "copy"))
        if int(run(i, "-v", "copy:/d", program, "show", "/d/x").split()[0]) < told:
            raise Failure("the snapshot lacks lines that were on the disk")
        if os.path.getsize(second) > os.path.getsize(first) // 4:
            raise Failure("the second backup is as large as the first")
        refused(i, "--base", "volume", "restore", "db", second)
        i("volume", "restore", "--base", first, "db", second)
        sound(image(i, "db"))
        if int(run(i, "-v", "db:/d", program, "show", "/d/x").split()[0]) < told:
            raise Failure("what was restored lacks lines that were on the disk")
        i("volume", "restore", "db", first)
        if int(run(i, "-v", "db:/d", program, "show", "/d/x").split()[0]) < 5:
            raise Failure("the first backup lacks lines that were on the disk")


CASES = {"keeps": keeps, "bad-input": bad_input, "one-writer": one_writer, "backups": backups}


def cases(name):
    return [Case(f"{name}/{key}", run, 180, needs=("mote",)) for key, run in CASES.items()]
