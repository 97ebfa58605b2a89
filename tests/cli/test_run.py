"""mote run with a stand-in kernel: exit status, what the kernel is told, streams, signals, ports, the cache."""
import contextlib
import os
import re
import resource
import shlex
import signal
import socket
import subprocess
import time

import pytest

from conftest import need


@pytest.fixture
def run(stubbed, hello):
    need("qemu-system-x86_64")
    stubbed.hello = hello
    return stubbed


def line_of(p):
    """The kernel's command line as the stand-in prints it."""
    return p.out.split(b"\n")[0].decode()


@pytest.mark.parametrize("orders, status, says", [
    (b"e0", 0, None), (b"e7", 7, None), (b"k", 137, None), (b"p", 125, "kernel failed"), (b"o", 137, "out of memory"),
    (b"f", 127, "cannot start /nothing"), (b"r", 125, "without saying why"),
])
def test_exit_status(run, orders, status, says):
    p = run("run", run.hello, stdin=orders)
    assert p.returncode == status
    assert p.err.decode().count("\n") == (1 if says else 0) and (not says or says in p.err.decode())


def test_what_the_kernel_is_told(run):
    p = run("run", "-e", "A=b c", "-e", "HOME=/here", "--hostname", "box", "-m", "64M", run.hello, "x y", "--", '"', "\\",
            stdin=b"e0")
    words = shlex.split(line_of(p).replace("\\x", "\\\\x"))
    before = words[:words.index("--")]
    assert words[words.index("--") + 1:] == ["x y", "--", '"', "\\"]
    for word in ("root=/dev/vda", "ro", "quiet", f"init={run.hello}", "mote.env=A=b c", "mote.env=HOME=/here",
                 "ip=10.0.2.15::10.0.2.2:255.255.255.0:box:eth0:off:10.0.2.3", "mote.exit_port=0x501",
                 "mote.status_port=0xe9", "virtio_mmio.device=512@0xfeb00e00:12"):
        assert word in before, word
    assert "mote.env=HOME=/root" not in before
    assert sum(w.startswith("virtio_mmio.device=") for w in before) == 3


def test_the_transports_are_where_qemu_puts_them(run):
    """QEMU's own words for the devices, compared with ours."""
    argv = shlex.split(run.ok("run", "--dry-run", run.hello).decode())
    ours = set(re.findall(r"virtio_mmio\.device=(\S+)", argv[argv.index("-append") + 1]))
    argv[argv.index("-machine") + 1] = argv[argv.index("-machine") + 1].replace("auto-kernel-cmdline=off", "auto-kernel-cmdline=on")
    argv[argv.index("-append") + 1] = "x"
    p = subprocess.run(argv, input=b"e0", stdout=subprocess.PIPE, timeout=30)
    assert set(re.findall(r"virtio_mmio\.device=(\S+)", p.stdout.decode())) == ours


def test_long_command_lines(run):
    p = run("run", run.hello, "x" * 50000, stdin=b"e0")
    assert p.returncode == 0 and line_of(p).endswith(" -- " + "x" * 50000)
    assert "arguments and environment" in run.fails(125, "run", run.hello, "x" * 70000)


def test_bytes_pass_unchanged(run):
    data = bytes(b for b in range(256) if b not in b"ekpofr") * 20
    p = run("run", run.hello, stdin=data + b"e0")
    assert p.out.split(b"\n", 1)[1] == data


def test_verbose_and_trace(run):
    assert " quiet " not in line_of(run("run", "--verbose", run.hello, stdin=b"e0"))
    assert "mote.trace=syscall" in line_of(run("run", "--trace", run.hello, stdin=b"e0"))
    assert "mote.trace=openat,close mote.time" not in line_of(run("run", "--trace=openat,close", run.hello, stdin=b"e0"))
    assert "cannot trace everything: it is neither" in run.fails(125, "run", "--trace=everything", run.hello)


@pytest.mark.parametrize("words, says", [
    (["--no-such"], "unknown option --no-such"), (["-Z"], "unknown option -Z"), (["-p"], "needs a value"),
    (["-p", "80", "x"], "HOST:GUEST"), (["-p", "0:80", "x"], "HOST:GUEST"), (["-p", "1:2:3:4", "x"], "HOST:GUEST"),
    (["-p", "1:2/icmp", "x"], "HOST:GUEST"), (["-m", "lots", "x"], "no size"), (["-c", "0", "x"], "from 1 to"),
    (["-c", "9999", "x"], "from 1 to"), (["--engine", "magic", "x"], "unknown engine"), (["--net", "magic", "x"], "unknown network"),
    (["-w", "rel", "x"], "must start with"), (["--name", "a b", "x"], "cannot use the name"), ([], "no program given"),
    (["--net", "none", "-p", "1:2", "/bin/true"], "needs --net user"), (["--engine", "mote", "/bin/true"], "not there yet"),
    (["--rw", "/bin/true"], "mote build"), (["-m", "1K", "/bin/true"], "at least"),
])
def test_wrong_words(run, words, says):
    assert says in run.fails(125, "run", *words)


def test_options_end_at_the_program(run):
    assert line_of(run("run", run.hello, "-p", "--help", stdin=b"e0")).endswith(" -- -p --help")


def test_a_folder_is_no_program(run, tmp_path):
    assert "folder" in run.fails(126, "run", tmp_path)


def test_terminal(run):
    """-t: the program's terminal is ours, raw while it runs and as before afterwards."""
    import pty
    import termios
    assert "no terminal" in run.fails(125, "run", "-t", run.hello)
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    p = run.popen("run", "-t", run.hello, stdin=theirs, stdout=theirs, stderr=theirs, env={"TERM": "vt100"})
    text = b""
    while not text.endswith(b"\n"):
        text += os.read(ours, 4096)
    assert b" mote.tty " in text and b"mote.env=TERM=vt100" in text
    assert not termios.tcgetattr(theirs)[3] & (termios.ECHO | termios.ICANON)
    os.write(ours, b"e3")
    assert p.wait(20) == 3 and termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)


def test_port_taken(run):
    with socket.socket() as s:
        s.bind(("0.0.0.0", 0))
        s.listen()
        port = s.getsockname()[1]
        line = run.fails(125, "run", "-p", f"{port}:80", run.hello)
        assert str(port) in line and "another program has it" in line


def test_port_is_passed_on(run):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    p = run.popen("run", "-p", f"127.0.0.1:{port}:80", run.hello, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p.stdout.readline()
    socket.create_connection(("127.0.0.1", port)).close()
    p.communicate(b"e0")
    assert p.returncode == 0


def test_no_qemu(run, tmp_path):
    assert "qemu-system-x86" in run.fails(125, "run", run.hello, env={"PATH": str(tmp_path)})


def test_no_kernel(run):
    assert "kernel-x86_64.elf" in run.fails(125, "run", run.hello, env={"MOTE_KERNEL": "/no/such"})


def test_not_enough_memory_for_the_data(run, compile):
    big = compile("big", "volatile char a[20 << 20] = {1};\nint main(void) { return a[1]; }")
    assert "give more with -m" in run.fails(125, "run", "-m", "16M", big)


def children(pid):
    out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], stdout=subprocess.PIPE).stdout
    return [int(x) for x in out.split()]


def gone(pid):
    for _ in range(100):
        if not os.path.exists(f"/proc/{pid}") or open(f"/proc/{pid}/stat").read().split()[2] == "Z":
            return True
        time.sleep(0.05)
    return False


def start(run, *options):
    p = run.popen("run", *options, run.hello, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.readline()
    return p, children(p.pid)


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_signals_end_the_machine(run, number, status):
    """The stand-in knows no controls: the machine ends at once."""
    p, machine = start(run)
    p.send_signal(number)
    assert p.wait(20) == status and gone(machine[0])


def test_nothing_outlives_a_killed_mote(run):
    p, machine = start(run)
    p.kill()
    p.wait()
    assert len(machine) == 1 and gone(machine[0])


def test_nothing_is_left_in_the_host(run, tmp_path):
    before = {f: set(os.listdir(f)) for f in ("/tmp", str(tmp_path)) if os.path.isdir(f)}
    run("run", run.hello, stdin=b"e0")
    assert set(os.listdir(tmp_path)) - before[str(tmp_path)] <= {"cache", "data"}
    assert os.listdir(tmp_path / "data/mote/instances") == [".lock"]
    assert not [n for n in set(os.listdir("/tmp")) - before["/tmp"] if "mote" in n or "qemu" in n]


def test_output_nobody_reads(run):
    """As a program whose reader has gone: 128 + SIGPIPE."""
    p, machine = start(run)
    p.stdout.close()
    with contextlib.suppress(BrokenPipeError):  # mote may have ended before it read all
        p.stdin.write(b"x" * 100000)
        p.stdin.close()
    assert p.wait(20) == 141 and gone(machine[0])


def test_running_an_image(run):
    image = run.build("-e", "A=1", "-w", "/tmp", run.hello, "one")
    assert line_of(run("run", image, stdin=b"e0")).endswith(" -- one")
    line = line_of(run("run", "-e", "A=2", image, "other", stdin=b"e0"))
    assert line.endswith(" -- other") and "mote.cwd=/tmp" in line and line.index("A=1") < line.index("A=2")
    p = run("run", "--rw", image, stdin=b"e0")
    assert " rw " in line_of(p)
    assert "mote build" in run.fails(125, "run", "-f", "/etc/passwd", image)


def test_image_without_a_program(run, tmp_path):
    (tmp_path / "d").mkdir()
    image = run.build(tmp_path / "d")
    assert "names no program" in run.fails(127, "run", image)
    assert "init=/bin/x" in line_of(run("run", image, "/bin/x", "y", stdin=b"e0"))


def test_damaged_image(run, tmp_path):
    image = run.build(run.hello)
    with open(image, "r+b") as f:
        f.seek(1024 + 4)
        f.write(b"\xff" * 40)
    assert "cannot read the image" in run.fails(125, "run", image)


# --- the cache ---------------------------------------------------------------

def images(run):
    folder = os.path.join(run.cache, "mote", "images")
    return sorted(n for n in os.listdir(folder) if n.endswith(".ext4"))


def dry(run, *words, **kwargs):
    return re.search(r"file=([^,]+)", run.ok("run", "--dry-run", *words, **kwargs).decode()).group(1)


def test_the_image_is_made_once(run):
    first = dry(run, run.hello)
    assert dry(run, run.hello, "other", "arguments") == first and dry(run, "-e", "A=1", "-m", "1G", run.hello) == first
    assert len(images(run)) == 1


def test_a_change_makes_a_new_image(run, tmp_path, compile):
    (tmp_path / "d").mkdir()
    first = dry(run, "-f", tmp_path / "d", run.hello)
    (tmp_path / "d" / "new").write_text("x")
    second = dry(run, "-f", tmp_path / "d", run.hello)
    assert second != first and not os.path.exists(first)
    compile("hello", "int main(void) { return 1; }")
    third = dry(run, "-f", tmp_path / "d", run.hello)
    assert third != second and len(images(run)) == 1


def test_a_library_that_appears_earlier_in_the_search(run, compile, tmp_path):
    """What was looked for and not found is watched too."""
    lib = compile("b/libf.so", "int f(void) { return 0; }", "-shared", "-fPIC", "-Wl,-soname,libf.so")
    program = compile("p", "int f(void);\nint main(void) { return f(); }", lib, f"-Wl,-rpath,{tmp_path}/a:{tmp_path}/b")
    first = dry(run, program)
    compile("a/libf.so", "int f(void) { return 1; }", "-shared", "-fPIC", "-Wl,-soname,libf.so")
    second = dry(run, program)
    assert second != first and f"{tmp_path}/a/libf.so" in run.tree(second)


def test_many_at_a_time(run):
    all_of_them = [run.popen("run", "--dry-run", run.hello, stdout=subprocess.PIPE) for _ in range(8)]
    names = {re.search(rb"file=([^,]+)", p.communicate()[0]).group(1) for p in all_of_them}
    assert len(names) == 1 and len(images(run)) == 1 and all(p.returncode == 0 for p in all_of_them)


def test_the_cache_stays_small(run, compile):
    env = {"MOTE_CACHE_MAX": "6M"}
    programs = [compile(f"p{i}", f"int main(void) {{ return {i}; }}") for i in range(5)]
    for p in programs:
        last = dry(run, p, env=env)
        time.sleep(0.02)
    assert os.path.exists(last) and len(images(run)) < 5


def test_overhead_of_a_cached_image(run):
    """At most 30 ms of CPU outside of QEMU (issue 2)."""
    program = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else run.hello
    dry(run, program)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(10):
        dry(run, program)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) / 10
    assert cpu < 0.030, cpu
