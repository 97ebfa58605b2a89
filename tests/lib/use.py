"""The command used as a person would: run it, look for words in what it says."""
import re
import subprocess

from case import Failure
from machine import environment


def tool(case, *argv, timeout=120, status=0):
    """Its output, both streams."""
    with open(case.path("console"), "a+b") as out:
        at = out.seek(0, 2)
        p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, timeout=timeout,
                           env=environment())
        out.seek(at)
        text = out.read().decode(errors="backslashreplace")
    if status is not None and p.returncode != status:
        raise Failure(f"{' '.join(argv[:3])}: exit status {p.returncode}, not {status}", text[-3000:])
    return text


def has(text, *patterns):
    for pattern in patterns:
        if not re.search(pattern, text, re.M):
            raise Failure(f"not found: {pattern}", text[-3000:])
