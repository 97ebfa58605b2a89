"""mote stats and the endpoint for Prometheus."""
import json
import re
import subprocess
import urllib.error
import urllib.request

from case import Case, Failure, expect
from instances import Instances, compile_server, free_port, have, until


def metrics(case):
    program = compile_server(case)
    port = free_port()
    with Instances(case) as all_of_them:
        all_of_them.run("a", program, "a", "8080", options=["--health", "tcp:8080"])
        all_of_them.run("ended", "/bin/true")
        all_of_them("wait", "ended")
        (a,) = json.loads(all_of_them("stats", "--json"))
        expect("its name", a["name"], "a")
        inside = a["machine"]
        if not (100 << 10 < inside["memory_used_bytes"] < inside["memory_total_bytes"] <= 16 << 20 and inside["threads"] == 1
                and inside["disk_read_bytes"] > 0 and a["host_memory_bytes"] > 1 << 20):
            raise Failure("these numbers make no sense", json.dumps(a, indent=1))
        expect("the columns", all_of_them("top", "--once", "a").split("\n")[0].split()[:3], ["NAME", "STATUS", "CPU"])
        expect("an unknown one", "no instance is called" in all_of_them("stats", "x", status=125), True)
        server = all_of_them.popen("metrics", "--listen", f"127.0.0.1:{port}")
        try:
            text = until("an answer", lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20).read().decode())
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/other", timeout=20)
                raise Failure("it answers what it does not know")
            except urllib.error.HTTPError as e:
                expect("what it does not know", e.code, 404)
        finally:
            server.terminate()
            server.wait(20)
        value = dict(re.findall(r'(\w+)\{instance_name="a",program="server"\} (\S+)', text))
        expect("up", value["mote_instance_up"], "1")
        expect("those it counts inside", float(value["mote_machine_threads"]), 1.0)
        expect("one that ended", 'mote_instance_up{instance_name="ended",program="true"} 0' in text, True)
        for line in text.splitlines():
            if not re.fullmatch(r'# (HELP|TYPE) mote_\w+ .+|mote_\w+\{instance_name="[^"]*",program="[^"]*"\} [0-9.e+-]+', line):
                raise Failure(f"this line is not Prometheus': {line}")
        if have("promtool"):
            p = subprocess.run([have("promtool"), "check", "metrics"], input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            expect("promtool's word", (p.returncode, p.stdout), (0, b""))


def cases(name):
    return [Case(name, metrics, 90)]
