"""A private network without root: machines reach each other by name, and nothing of it is left."""
import http.client
import os
import re
import signal

from apps import program as installed
from case import Case, Failure, expect
from instances import Instances, compile_server, free_port, until


def fetch(all_of_them, url):
    return all_of_them("run", "-m", "64M", "--network", "inner", installed("curl", "curl"), "-sS", "-m", "20",
                       "--retry", "3", "--retry-connrefused", url)


def network(case):
    program = compile_server(case)
    port = free_port()
    with Instances(case) as all_of_them:
        all_of_them.run("Web", program, "Web", "8080", options=["--network", "inner", "-p", f"127.0.0.1:{port}:8080",
                                                               "--health", "tcp:8080"])
        all_of_them.run("other", program, "other", "8080", options=["--network", "inner"])
        until("Web is healthy", lambda: all_of_them.state("Web")["health"] == "healthy")
        for name in ("Web.mote", "other.mote", "other"):
            expect(f"http://{name}", fetch(all_of_them, f"http://{name}:8080/"), name.split(".")[0])
        address = all_of_them.state("other")["address"]
        expect("by address", fetch(all_of_them, f"http://{address}:8080/"), "other")
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        c.request("GET", "/")
        expect("the published port", c.getresponse().read(), b"Web")
        c.close()
        if not re.search(r"(?m)^inner +2 +running$", all_of_them("network", "ls")):
            raise Failure("mote network ls", all_of_them("network", "ls"))
        expect("rm of one in use", "2 instances are in it" in all_of_them("network", "rm", "inner", status=125), True)
        expect("an unknown name", "Could not resolve" in
               all_of_them("run", "-m", "64M", "--network", "inner", installed("curl", "curl"), "-sS", "http://nobody.mote/", status=6), True)
        # its switch is killed: the supervisors start another, and QEMU connects again
        folder = os.path.join(all_of_them.home, "mote", "networks", "inner")
        supervisors = {all_of_them.state(n)[k] for n in ("Web", "other") for k in ("supervisor", "engine")}
        for pid in set(all_of_them.processes()) - supervisors:
            os.kill(pid, signal.SIGKILL)
        expect("after the switch was killed", fetch(all_of_them, "http://other.mote:8080/"), "other")
        all_of_them("stop", "Web", "other")
        all_of_them("start", "other")
        expect("it keeps its address", all_of_them.state("other")["address"], address)
        all_of_them("rm", "-f", "Web", "other")
        all_of_them.nothing_left()
        expect("what the switch left", sorted(os.listdir(folder)), ["lock", "switch.lock"])
        all_of_them("network", "rm", "inner")
        expect("the folder is gone", os.path.exists(folder), False)


def cases(name):
    return [Case(name, network, 150)]
