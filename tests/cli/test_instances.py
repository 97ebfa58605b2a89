"""Instances in the background: their life, their log, and what is left of them: nothing."""
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from conftest import need

TICK = """
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void quit(int n) { printf("signal %d\\n", n); fflush(stdout); _exit(0); }
int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(how, "polite") == 0)
		signal(SIGTERM, quit);
	if (strcmp(how, "deaf") == 0)
		signal(SIGTERM, SIG_IGN);
	if (strcmp(how, "hup") == 0)
		signal(SIGHUP, quit);
	puts("begin");
	if (strcmp(how, "exit") == 0)
		return atoi(argv[2]);
	if (strcmp(how, "abort") == 0)
		abort();
	if (strcmp(how, "flood") == 0)
		for (int i = 0; i < 20000; i++)
			printf("line %d of many, long enough to fill a file before long\\n", i);
	for (int i = 0;; i++) {
		sleep(1);
		printf("tick %d\\n", i);
	}
}
"""


class Fleet:
    def __init__(self, mote, program):
        self.mote, self.program = mote, program
        self.folder = os.path.join(mote.folder, "data", "mote", "instances")

    def run(self, name, *args, options=()):
        return self.mote.ok("run", "-d", "-m", "16M", "--name", name, *options, self.program, *args).decode().strip()

    def state(self, name):
        return json.loads(self.mote.ok("inspect", name))[0]

    def pids(self, name):
        state = self.state(name)["state"]
        return state["supervisor"], state["engine"]

    def logs(self, name, *options):
        p = self.mote("logs", *options, name)
        assert p.returncode == 0, p.err.decode()
        return p.out.decode()

    def until(self, what, seconds=20):
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, "it does not come to that"
            time.sleep(0.05)

    def names(self, *options):
        return self.mote.ok("ps", "-q", *options).decode().split()

    def left(self):
        return sorted(n for n in os.listdir(self.folder) if n != ".lock") if os.path.isdir(self.folder) else []


@pytest.fixture
def fleet(mote, compile):
    need("qemu-system-x86_64")
    f = Fleet(mote, compile("tick", TICK))
    yield f
    names = mote("ps", "-a", "-q").out.decode().split()
    if names:
        mote("rm", "-f", *names)


def gone(pid):
    for _ in range(100):
        try:
            with open(f"/proc/{pid}/stat") as f:
                if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def test_from_start_to_end(fleet):
    assert fleet.run("a", "polite") == "a"
    assert fleet.names() == ["a"] and fleet.state("a")["status"] == "running"
    pids = fleet.pids("a")
    fleet.until(lambda: "tick" in fleet.logs("a"))
    fleet.mote.ok("stop", "a")
    assert fleet.names() == [] and fleet.names("-a") == ["a"]
    assert fleet.logs("a").startswith("begin\ntick 0\n") and fleet.logs("a").endswith("signal 15\n")
    state = fleet.state("a")["state"]
    assert state["ending"]["reason"] == "exited" and state["ending"]["status"] == 0
    assert all(map(gone, pids))
    fleet.mote.ok("start", "a")
    assert fleet.names() == ["a"]
    assert "it runs" in fleet.mote.fails(125, "start", "a") and "it runs" in fleet.mote.fails(125, "rm", "a")
    fleet.mote.ok("rm", "-f", "a")
    assert fleet.left() == []


@pytest.mark.parametrize("args, reason, status, text", [
    (("exit", "7"), "exited", 7, "exited (7)"), (("abort",), "signal", 134, "ended by signal 6"),
])
def test_how_it_ended(fleet, args, reason, status, text):
    fleet.run("a", *args)
    assert fleet.mote.ok("wait", "a").decode() == f"{status}\n"
    fleet.until(lambda: fleet.state("a")["status"] == "exited")
    assert fleet.state("a")["state"]["ending"]["reason"] == reason
    assert text in fleet.mote.ok("ps", "-a").decode()


def test_killed_after_its_time(fleet):
    fleet.run("a", "deaf")
    fleet.until(lambda: "begin" in fleet.logs("a"))
    begin = time.monotonic()
    fleet.mote.ok("stop", "-t", "1", "a")
    assert 0.9 < time.monotonic() - begin < 8
    assert fleet.state("a")["state"]["ending"]["reason"] == "killed"


def test_signals(fleet):
    fleet.run("a", "hup")
    fleet.until(lambda: "begin" in fleet.logs("a"))
    assert "unknown signal" in fleet.mote.fails(125, "kill", "-s", "NONE", "a")
    fleet.mote.ok("kill", "-s", "SIGHUP", "a")
    fleet.until(lambda: "signal 1\n" in fleet.logs("a"))
    fleet.until(lambda: fleet.names() == [])
    fleet.mote.ok("start", "a")
    fleet.until(lambda: fleet.logs("a").count("begin") == 2)
    fleet.mote.ok("kill", "-s", "USR1", "a")
    assert fleet.mote.ok("wait", "a").decode() == f"{128 + signal.SIGUSR1}\n"
    fleet.until(lambda: fleet.names() == [])
    fleet.mote.ok("start", "a")
    fleet.mote.ok("kill", "a")
    assert fleet.state("a")["state"]["ending"]["status"] == 137


def test_pause(fleet):
    fleet.run("a")
    fleet.until(lambda: "tick" in fleet.logs("a"))
    fleet.mote.ok("pause", "a")
    assert "(paused)" in fleet.mote.ok("ps").decode()
    assert "does not run" in fleet.mote.fails(125, "pause", "a")
    before = fleet.logs("a")
    time.sleep(2.5)
    assert fleet.logs("a") == before
    fleet.mote.ok("unpause", "a")
    fleet.until(lambda: fleet.logs("a") != before)
    assert "not paused" in fleet.mote.fails(125, "unpause", "a")
    fleet.mote.ok("pause", "a")
    fleet.mote.ok("stop", "a")


def test_names_and_words(fleet):
    fleet.run("a")
    assert "an instance has it" in fleet.mote.fails(125, "run", "-d", "--name", "a", fleet.program)
    for command in ("stop", "kill", "rm", "start", "wait", "pause", "logs", "inspect"):
        p = fleet.mote(command, "nobody")
        assert p.returncode == 125 and b"no instance is called nobody" in p.err and p.err.count(b"\n") == 1, command
    assert "no instance is called" in fleet.mote.fails(125, "stop", "../a")
    assert "takes other words" in fleet.mote.fails(125, "stop")
    assert "cannot filter" in fleet.mote.fails(125, "ps", "--filter", "size=1")
    assert "--restart" in fleet.mote.fails(125, "run", "-d", "--restart", "often", fleet.program)
    fleet.mote.ok("rename", "a", "b")
    assert fleet.names() == ["b"]
    fleet.run("a")
    assert "an instance has it" in fleet.mote.fails(125, "rename", "a", "b")
    fleet.mote.ok("stop", "a", "b")
    assert "does not run" in fleet.mote.fails(125, "kill", "b")


def test_a_renamed_instance_forgets_itself_and_no_other(fleet):
    fleet.run("a", options=["--rm"])
    fleet.mote.ok("rename", "a", "b")
    fleet.run("a")
    fleet.mote.ok("stop", "b")
    fleet.until(lambda: fleet.left() == ["a"])


def test_filters_and_labels(fleet):
    fleet.run("web-1", options=["--label", "tier=web", "--label", "x"])
    fleet.run("db", "exit", "0", options=["--label", "tier=db"])
    fleet.until(lambda: fleet.names() == ["web-1"])
    assert fleet.names("-a", "--filter", "label=tier") == ["db", "web-1"]
    assert fleet.names("--filter", "label=tier=web") == ["web-1"] and fleet.names("-a", "--filter", "name=b-") == ["web-1"]
    assert fleet.names("--filter", "status=exited") == ["db"]
    listed = json.loads(fleet.mote.ok("ps", "-a", "--json"))
    assert [i["name"] for i in listed] == ["db", "web-1"] and listed[1]["config"]["labels"] == {"tier": "web", "x": ""}
    assert fleet.mote.ok("prune").decode().split() == ["db"] and fleet.names("-a") == ["web-1"]


def test_rm_forgets(fleet):
    fleet.run("a", "exit", "3", options=["--rm"])
    fleet.until(lambda: fleet.left() == [])


def test_what_cannot_start_leaves_nothing(fleet, tmp_path):
    (tmp_path / "bad").write_bytes(b"\x7fELF\0\0\0")
    os.chmod(tmp_path / "bad", 0o755)
    assert fleet.mote("run", "-d", "--name", "x", tmp_path / "bad").returncode == 126
    assert fleet.mote("run", "-d", "--name", "x", "/no/such").returncode == 127
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        assert "another program has it" in fleet.mote.fails(125, "run", "-d", "-p", f"127.0.0.1:{port}:80", fleet.program)
    assert fleet.left() == []


def test_restarts(fleet):
    fleet.run("a", "exit", "4", options=["--restart", "on-failure:3"])
    assert fleet.mote.ok("wait", "a").decode() == "4\n"
    assert fleet.state("a")["state"]["restarts"] == 3 and fleet.logs("a").count("begin\n") == 4
    fleet.run("b", "exit", "0", options=["--restart", "on-failure"])
    assert fleet.mote.ok("wait", "b").decode() == "0\n" and fleet.state("b")["state"]["restarts"] == 0
    fleet.run("c", "exit", "0", options=["--restart", "always"])
    fleet.until(lambda: fleet.state("c")["state"]["restarts"] >= 2)
    fleet.mote.ok("stop", "c")
    assert fleet.state("c")["status"] == "exited"
    time.sleep(1)
    assert fleet.state("c")["status"] == "exited"


def test_in_the_foreground(fleet):
    """Listed while it runs, stopped by another command, gone at the end."""
    p = fleet.mote.popen("run", "--name", "a", fleet.program, "polite", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert p.stdout.readline() == b"begin\n"
    assert fleet.names() == ["a"] and "no log" in fleet.mote.fails(125, "logs", "a")
    fleet.mote.ok("stop", "a")
    assert b"signal 15\n" in p.communicate(timeout=20)[0] and p.returncode == 0
    assert fleet.left() == []


def test_a_killed_supervisor_takes_its_machine_along(fleet):
    fleet.run("a")
    fleet.run("b", options=["--rm"])
    supervisor, engine = fleet.pids("a")
    fleet.until(lambda: "begin" in fleet.logs("a"))
    for pid in (supervisor, fleet.pids("b")[0]):
        os.kill(pid, signal.SIGKILL)
    assert gone(supervisor) and gone(engine)
    fleet.until(lambda: fleet.names() == [])
    assert "dead" in fleet.mote.ok("ps", "-a").decode() and fleet.left() == ["a"]
    assert fleet.logs("a").startswith("begin\n")
    assert fleet.mote.ok("wait", "a").decode() == "125\n"
    fleet.mote.ok("start", "a")
    assert fleet.names() == ["a"]


def test_a_supervisor_that_hangs_is_ended(fleet):
    fleet.run("a")
    supervisor, engine = fleet.pids("a")
    os.kill(supervisor, signal.SIGSTOP)
    fleet.mote.ok("kill", "a", timeout=60)
    assert gone(supervisor) and gone(engine)


def test_strange_things_in_the_folder(fleet):
    fleet.run("a")
    with open(os.path.join(fleet.folder, "notes.txt"), "w") as f:
        f.write("mine")
    os.mkdir(os.path.join(fleet.folder, "empty"))
    os.mkdir(os.path.join(fleet.folder, "bad"))
    for name in ("config.json", "state.json"):
        with open(os.path.join(fleet.folder, "bad", name), "w") as f:
            f.write('{"status": ')
    p = fleet.mote("ps", "-a")
    assert p.returncode == 0 and b"ignoring notes.txt" in p.err and p.err.count(b"\n") == 1
    assert len(re.findall(rb"damaged", p.out)) == 2 and re.search(rb"(?m)^a .*up ", p.out)
    assert "damaged" in fleet.mote.fails(125, "start", "bad")
    fleet.mote.ok("rm", "bad", "empty")
    assert fleet.left() == ["a", "notes.txt"]
    os.unlink(os.path.join(fleet.folder, "notes.txt"))


# --- logs ---------------------------------------------------------------------

def test_log_views(fleet):
    fleet.run("a", "exit", "0")
    fleet.mote.ok("wait", "a")
    fleet.run("b", "abort")
    fleet.mote.ok("wait", "b")
    assert fleet.logs("a") == "begin\n"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z begin\n", fleet.logs("a", "-t"))
    entry = json.loads(fleet.logs("a", "--json").splitlines()[0])
    assert entry["text"] == "begin" and entry["stream"] == "stdout" and entry["part"] is False
    assert fleet.logs("a", "--since", "1h") == "begin\n" and fleet.logs("a", "--until", "1h") == ""
    assert fleet.logs("a", "--since", entry["time"]) == "begin\n"
    assert "no time" in fleet.mote.fails(125, "logs", "--since", "soon", "a")
    assert "signal 6" in fleet.mote("logs", "--stream", "mote", "b").err.decode()
    assert "unknown stream" in fleet.mote.fails(125, "logs", "--stream", "x", "b")


def test_following(fleet):
    fleet.run("a", "polite")
    p = fleet.mote.popen("logs", "-f", "a", stdout=subprocess.PIPE)
    assert p.stdout.readline() == b"begin\n" and p.stdout.readline() == b"tick 0\n"
    fleet.mote.ok("stop", "a")
    assert p.communicate(timeout=20)[0].endswith(b"signal 15\n") and p.returncode == 0


def test_rotation_loses_nothing_that_is_kept(fleet):
    fleet.run("a", "flood", options=["--log-size", "20K", "--log-files", "100"])
    follower = fleet.mote.popen("logs", "-f", "a", stdout=subprocess.PIPE)
    want = b"begin\n" + b"".join(b"line %d of many, long enough to fill a file before long\n" % i for i in range(20000))
    got = follower.stdout.read(len(want))
    assert got == want
    follower.kill()
    follower.wait()
    files = [n for n in os.listdir(os.path.join(fleet.folder, "a")) if n.startswith("console.log")]
    assert 60 < len(files) <= 100
    assert all(os.path.getsize(os.path.join(fleet.folder, "a", n)) <= 20 << 10 for n in files)
    assert fleet.logs("a", "--tail", "1").startswith(("line 19999 ", "tick"))
    assert len(fleet.logs("a", "--tail", "1000").splitlines()) == 1000


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system")
def test_a_full_disk_loses_nothing(fleet):
    """The program waits for room; then all of it is there."""
    where = os.path.join(fleet.mote.folder, "data")
    os.makedirs(where)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700k", "none", where], check=True)
    try:
        fleet.run("a", "flood", options=["--log-size", "100M"])
        fleet.until(lambda: b"cannot be written: No space left" in fleet.mote("logs", "-n", "1", "a").err)
        assert fleet.names() == ["a"] and "line 19999 " not in fleet.logs("a", "-n", "1")
        subprocess.run(["mount", "-o", "remount,size=64m", where], check=True)
        fleet.until(lambda: "tick" in fleet.logs("a", "-n", "1"))
        want = "".join(f"line {i} of many, long enough to fill a file before long\n" for i in range(20000))
        assert want in fleet.logs("a") and "cannot be written" not in fleet.mote("logs", "a").err.decode()
        fleet.mote.ok("rm", "-f", "a")
    finally:
        fleet.mote("rm", "-f", "a")
        subprocess.run(["umount", "-l", where], check=True)
