"""The examples start as they stand, and answer."""
import os

from apps import answers_http, connects
from case import MOTE, ROOT, Case, Skip, expect, free_port
from machine import Machine
from programs import absent

EXAMPLES = {    # package, what the answer to / has
    "static-site": ("nginx-light", b"one program in it"),
    "flask": ("python3-flask", b"process 1 of mote, 1 CPU"),
    "java": ("openjdk-17-jdk-headless", b"Java 17."),
    "mariadb": ("mariadb-server-core", None),
}


class Example(Machine):
    """Its script, with a port and a folder of ours."""

    def __init__(self, case, name):
        self.console, self.cwd, self.stdin, self.process = case.path("console"), None, os.devnull, None
        self.host_port = free_port()
        self.argv = ["env", f"PORT={self.host_port}", f"MOTE={MOTE}", f"TMPDIR={case.folder}", f"{ROOT}/examples/{name}/run"]


def test(case, name):
    package, answer = EXAMPLES[name]
    if absent([package]):
        raise Skip(f"not installed: {package} (tools/deps apps)")
    with Example(case, name) as m:
        m.patience = 200
        if answer:
            expect("the answer", answer in m.until(answers_http(m.host_port))[1], True)
        else:
            expect("the greeting", b"MariaDB" in m.until(connects(m.host_port)), True)


def cases(name):
    return [Case(f"{name}/{n}", lambda case, n=n: test(case, n), 400, slow=True) for n in EXAMPLES]
