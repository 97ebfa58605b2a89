"""Boot nginx, 50 requests, stop: many times in a row, no hang and no leak."""
import glob
import os

import machine
from apps import Http, answers_http, program
from case import Case, Failure, expect
from machine import Machine

CONFIGURATION = """
daemon off; master_process off; pid /tmp/nginx.pid; error_log stderr error; user root;
events { worker_connections 64; }
http {
    access_log off; keepalive_requests 100000; client_body_temp_path /tmp/b; proxy_temp_path /tmp/p;
    fastcgi_temp_path /tmp/f; uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s;
    server { listen 0.0.0.0:8080; location / { return 200 "here I am"; } }
}
"""


def left_files():
    """What machines could leave: files of the state folder, and named files in the folders for temporary ones."""
    found = [os.path.join(where, n) for where, _, names in os.walk(machine.data_home) for n in names]
    found += glob.glob("/tmp/mote*") + glob.glob("/dev/shm/mote*")
    return {path for path in found if "powercut" not in path}       # another test's, which may run beside this one


def boots(case, times):
    nginx = program("nginx", "nginx-light")
    with open(case.path("nginx.conf"), "w") as f:
        f.write(CONFIGURATION)
    machine.data_home = case.path("data")
    before = None
    for n in range(times):
        cpus = 1 + n % 2 * 3
        with Machine(case, [nginx, "-e", "stderr", "-c", f.name], ports=[8080], cpus=cpus, options=["-f", f.name],
                     console=f"console-{n % 3}") as m:
            m.until(answers_http(m.port[8080]))
            h = Http(m.port[8080])
            for i in range(50):
                expect(f"boot {n}, request {i}", h.ask("/")[:2], (200, b"here I am"))
            h.close()
            status = m.stop()
        if status not in (0, 143):
            raise Failure(f"boot {n} ended with status {status}")
        if n == 1:      # images of the first boots stay, on purpose
            before = left_files()
    left = left_files() - before
    expect("files left behind", sorted(left), [])


def cases(name):
    return [Case(f"{name}/10", lambda case: boots(case, 10), 200),
            Case(f"{name}/100", lambda case: boots(case, 100), 1200, slow=True)]
