"""A machine too small for its program ends with a sentence, not in silence: its code would be read again for ever."""
import subprocess

from case import Case, Failure, expect
from machine import environment, mote_run


def python_in_3m(case):
    p = subprocess.run([*mote_run(), "--net", "none", "-m", "3M", "/usr/bin/python3", "-c", "print(1)"], env=environment(),
                       stdin=subprocess.DEVNULL, capture_output=True)
    with open(case.path("console"), "wb") as f:
        f.write(p.stdout + p.stderr)
    expect("exit status", p.returncode, 137)
    if b"ran out of memory" not in p.stderr:
        raise Failure("mote did not say why", p.stderr.decode())


def cases(name):
    return [Case(f"{name}/python-3m", python_in_3m, 60)]
