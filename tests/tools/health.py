"""Health probes, the web hook, and the restart of what is unwell."""
import http.client
import http.server
import json
import threading

from case import Case, Failure, expect
from instances import Instances, compile_server, free_port, until


def get(port, path):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        c.request("GET", path)
        return c.getresponse().status
    except http.client.HTTPException:
        return None
    finally:
        c.close()


class Receiver:
    """A web hook that refuses the first posts."""

    def __init__(self, refuse):
        receiver, self.got, self.refused = self, [], 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if receiver.refused < refuse:
                    receiver.refused += 1
                    self.send_error(503)
                    return
                receiver.got.append((self.headers["Content-Type"], json.loads(body)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *words):
                pass
        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def health(case):
    program = compile_server(case)
    port = free_port()
    with Instances(case) as all_of_them:
        quick = ["--health-interval", "1", "--health-timeout", "2", "--health-retries", "2"]
        all_of_them.run("a", program, "a", "8080", options=["-p", f"127.0.0.1:{port}:8080", "--health", "http:8080/", *quick])
        until("a is healthy", lambda: all_of_them.state("a")["health"] == "healthy")
        expect("ps shows it", "(healthy)" in all_of_them("ps"), True)
        expect("the filter finds it", all_of_them.names("--filter", "health=healthy"), ["a"])
        get(port, "/sick")
        until("a is unhealthy", lambda: all_of_them.state("a")["health"] == "unhealthy")
        expect("why", "503" in all_of_them.state("a")["health_why"], True)
        # nobody published this port: mote finds one for itself
        all_of_them.run("b", program, "b", "8080", options=["--health", "tcp:8080", *quick])
        until("b is healthy", lambda: all_of_them.state("b")["health"] == "healthy")
        all_of_them.run("c", program, "c", "8080", options=["--health", "tcp:81", *quick])
        until("c is unhealthy", lambda: all_of_them.state("c")["health"] == "unhealthy")
        expect("a bad one", "it is not tcp:PORT" in all_of_them("run", "--health", "icmp", program, status=125), True)
        expect("one that can not be", "does not reach it" in
               all_of_them("run", "--net", "none", "--health", "tcp:1", program, status=125), True)


def unhealthy_restarts(case):
    program = compile_server(case)
    port = free_port()
    with Instances(case) as all_of_them:
        all_of_them.run("a", program, "a", "8080", options=[
            "-p", f"127.0.0.1:{port}:8080", "--health", "http:8080/", "--health-interval", "1", "--health-retries", "1",
            "--restart", "on-unhealthy", "--stop-timeout", "1"])
        until("a is healthy", lambda: all_of_them.state("a")["health"] == "healthy")
        get(port, "/sick")
        until("a is started again", lambda: all_of_them.state("a")["restarts"] >= 1)
        until("a is healthy again", lambda: all_of_them.state("a")["health"] == "healthy")


def notify(case):
    program = compile_server(case)
    port = free_port()
    hook = Receiver(refuse=1)
    with Instances(case) as all_of_them:
        all_of_them.run("a", program, "a", "8080", "3", options=["-p", f"127.0.0.1:{port}:8080", "--notify", hook.url])
        until("a answers", lambda: get(port, "/") == 200)
        try:
            get(port, "/crash")
        except OSError:
            pass
        expect("its end", all_of_them("wait", "a"), "134\n")
        kind, told = until("the hook was called", lambda: hook.got and hook.got[0])
        expect("the type", kind, "application/json")
        expect("what was told", (told["event"], told["instance"], told["ending"]["reason"], told["ending"]["number"]),
               ("failed", "a", "signal", 6))
        if "about to crash" not in told["lines"] or "line 2 of a" not in told["lines"]:
            raise Failure("the last lines are missing", json.dumps(told, indent=1))
        expect("the crash line", told["crash"].startswith("mote: "), True)
        expect("posts refused before", hook.refused, 1)
        # one that stops because it is asked to is no failure
        all_of_them("start", "a")
        all_of_them("stop", "a")
        # nobody listens there: nothing waits, nothing fails
        all_of_them.run("b", "/bin/false", options=["--notify", f"http://127.0.0.1:{free_port()}/"])
        all_of_them("wait", "b", timeout=20)
        expect("calls in all", len(hook.got), 1)
        all_of_them("rm", "-f", "a", "b")
        all_of_them.kill_all()      # the one that tries to reach nobody


def cases(name):
    return [Case(f"{name}/probes", health, 120), Case(f"{name}/restarts", unhealthy_restarts, 120),
            Case(f"{name}/notify", notify, 120)]
