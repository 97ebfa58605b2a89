"""Budgets of what is delivered: the kernel's size, an image's, the memory a machine needs."""
import os
import re
import subprocess

from apps import Line, program
from case import BUILD, MOTE, Case, Failure, expect
from machine import Machine, environment, run

KERNEL_BYTES = 700 * 1000     # 500 KB was asked of issue 2's kernel; storage, io_uring and IPv6 came since
IMAGE_BYTES = 1000 * 1000
HELLO_MEMORY, REDIS_MEMORY = "12M", "32M"


def within(case, what, bytes, limit):
    with open(case.path("console"), "w") as f:
        f.write(f"{what}: {bytes:,} bytes of {limit:,}\n")
    if bytes > limit:
        raise Failure(f"{what}: {bytes:,} bytes, {limit:,} at most")


def kernel(case):
    within(case, "kernel, stripped", os.path.getsize(os.path.join(BUILD, "kernel-x86_64.stripped.elf")), KERNEL_BYTES)


def hello(case, *flags):
    out = case.path("hello")
    p = subprocess.run(["gcc", "-O2", *flags, "-x", "c", "-", "-o", out], capture_output=True,
                       input=b'#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n')
    if p.returncode:
        raise Failure("gcc failed", p.stderr.decode())
    return out


def libraries(path):
    """The sum of the sizes of a program and all it loads, as the host's loader sees it."""
    listed = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
    files = {os.path.realpath(f) for f in re.findall(r"(/\S+)", listed)} | {os.path.realpath(path)}
    return sum(os.path.getsize(f) for f in files)


def image(case, path):
    out = case.path("image.img")
    p = subprocess.run([MOTE, "build", path, "-o", out], env=environment(), capture_output=True)
    if p.returncode:
        raise Failure("mote build failed", p.stderr.decode(errors="replace"))
    within(case, "image beyond program and libraries", os.path.getsize(out) - libraries(path), IMAGE_BYTES)


def memory_hello(case):
    expect(f"hello with {HELLO_MEMORY}", run(case, ["-m", HELLO_MEMORY, "--net", "none"], hello(case, "-static")), (0, b"hello\n"))


def memory_redis(case):
    redis = program("redis-server", "redis-server")
    argv = [redis, "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--appendonly", "no", "--dir", "/tmp"]
    with Machine(case, argv, ports=[6379], memory=REDIS_MEMORY) as m:
        def ping():
            r = Line(m.port[6379], 2)
            r.send(b"SET a 1\r\nGET a\r\n")
            expect("redis", [r.line(), r.line(), r.line()], [b"+OK", b"$1", b"1"])
            r.close()
        m.until(ping)


def cases(name):
    return [Case("limits/kernel-size", kernel, 30),
            Case("limits/image-hello", lambda case: image(case, hello(case)), 60),
            Case("limits/image-redis", lambda case: image(case, program("redis-server", "redis-server")), 60),
            Case("limits/memory-hello", memory_hello, 30),
            Case("limits/memory-redis", memory_redis, 60)]
