"""Help, completion and manual pages come from the same tables."""
import re
import shutil
import subprocess

import pytest


def commands(mote):
    return re.findall(r"(?m)^  ([a-z]+) +\S", mote.ok("--help").decode())


def options(mote, command):
    return set(re.findall(r"(?m)^  (?:-\w, |    )--([a-z-]+)", mote.ok(command, "--help").decode()))


def test_every_option_is_in_all_of_them(mote):
    bash, fish = (mote.ok("completion", s).decode() for s in ("bash", "fish"))
    zsh = mote.ok("completion", "zsh").decode()
    for c in commands(mote):
        page = mote.ok("manual", c).decode().replace("\\-", "-")
        words = re.search(rf"(?m)^\t{c}\)\n\t\toptions='(.*)'$", bash).group(1).split()
        assert options(mote, c), c
        for o in options(mote, c):
            assert f"--{o}" in words and f"--{o}" in zsh and f"from {c}' -l {o}" in fish and f"--{o}" in page, (c, o)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shells_take_their_scripts(mote, shell):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n"], input=mote.ok("completion", shell), check=True)


def test_bash_completes(mote):
    script = mote.ok("completion", "bash").decode() + """
complete_words() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _mote; echo "${COMPREPLY[*]}"; }
complete_words mote sto
complete_words mote stop --ti
complete_words mote network cr
"""
    p = subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, check=True, text=True)
    assert p.stdout.split("\n")[:3] == ["stop", "--time", "create"]


def test_pages_have_no_errors(mote):
    if not shutil.which("groff"):
        pytest.skip("groff is not installed")
    for c in commands(mote):
        p = subprocess.run(["groff", "-man", "-Tascii", "-ww", "-z"], input=mote.ok("manual", c), stderr=subprocess.PIPE)
        assert p.returncode == 0 and not p.stderr, (c, p.stderr)


def test_wrong_words(mote):
    assert "unknown shell" in mote.fails(125, "completion", "csh")
    assert "unknown command" in mote.fails(125, "manual", "nothing")
    assert "unknown command nothing" in mote.fails(125, "nothing")
