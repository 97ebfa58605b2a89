"""Debian's python3: a threaded script with Linux's output, and http.server with files and posts."""
import hashlib
import os
import random
import threading

from apps import DATA, Http, answers_http, both_sizes, on_linux, program
from case import expect
from machine import Machine, run


def script(case, python, cpus):
    path = os.path.join(DATA, "threads.py")
    status, text = on_linux(case, [python, path])
    text = text.replace(b"fork:", b"")      # Linux forks: no such line there
    got = run(case, ["-c", str(cpus), "-m", "256M", "-f", path, "--net", "none"], python, [path], console="console-script")
    lines = [line for line in got[1].decode().splitlines() if not line.startswith("mote: ")]
    expect("fork is refused", [line for line in lines if line.startswith("fork:")], ["fork: Function not implemented"])
    expect("the script", (got[0], [line for line in lines if not line.startswith("fork:")]), (status, text.decode().splitlines()))


def server(case, python, cpus):
    www, path = case.path("www"), os.path.join(DATA, "web.py")
    os.makedirs(www)
    data = random.Random(1).randbytes(3000000)
    with open(f"{www}/file.bin", "wb") as f:
        f.write(data)
    with Machine(case, [python, path, "8080", www], ports=[8080], cpus=cpus, memory="256M",
                 options=["-f", www, "-f", path]) as m:
        m.until(answers_http(m.port[8080], "/"))
        h = Http(m.port[8080], 60)
        expect("a listing", (r := h.ask("/"))[0] == 200 and b"file.bin" in r[1], True)
        expect("a file", hashlib.sha256(h.ask("/file.bin")[1]).digest(), hashlib.sha256(data).digest())
        expect("a post", h.ask("/", "POST", data[:300000])[:2], (200, data[:300000][::-1]))
        expect("not there", h.ask("/absent")[0], 404)
        h.close()
        wrong = []

        def client(id):
            try:
                c = Http(m.port[8080], 60)
                for i in range(20):
                    if c.ask("/", "POST", b"%d-%d" % (id, i))[1] != (b"%d-%d" % (id, i))[::-1]:
                        wrong.append((id, i))
                c.close()
            except OSError as e:
                wrong.append((id, str(e)))
        threads = [threading.Thread(target=client, args=(i,)) for i in range(16)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        expect("wrong answers of 16 clients", wrong[:3], [])


def test(case, cpus):
    python = program("python3", "python3")
    script(case, python, cpus)
    server(case, python, cpus)


def cases(name):
    return both_sizes(test, name, 240)
