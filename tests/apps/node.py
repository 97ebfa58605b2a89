"""node: a web server with timers, worker threads, files and hashes."""
import hashlib
import os
import threading

from apps import DATA, Http, answers_http, both_sizes, program
from case import expect
from machine import Machine


def test(case, cpus):
    node, path = program("node", "nodejs"), os.path.join(DATA, "server.js")
    with Machine(case, [node, path, "8080"], ports=[8080], cpus=cpus, memory="512M", options=["-f", path]) as m:
        m.until(answers_http(m.port[8080]), 100)
        h = Http(m.port[8080], 60)
        expect("hello", h.ask("/x")[:2], (200, b"hello from node /x"))
        expect("a timer", h.ask("/later")[1], b"later")
        expect("a file", h.ask("/file")[1].decode(), hashlib.sha256(b"x" * 100000).hexdigest())
        expect("a worker", h.ask("/work")[1], str(sum(i % 7 for i in range(10 ** 6))).encode())
        body = os.urandom(500000)
        expect("a post", h.ask("/", "POST", body)[1].decode(), hashlib.sha256(body).hexdigest())
        wrong = []

        def client(id):
            try:
                c = Http(m.port[8080], 60)
                for i in range(30):
                    if c.ask(f"/{id}-{i}")[1] != f"hello from node /{id}-{i}".encode():
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


def cases(name):
    return both_sizes(test, name, 240)
