"""gearmand: a worker and 8 clients, over its binary protocol; its text one."""
import struct

from apps import Line, growing, together
from case import expect


def packet(kind, *words):
    data = b"\0".join(words)
    return b"\0REQ" + struct.pack(">II", kind, len(data)) + data


def receive(c):
    magic, kind, size = struct.unpack(">4sII", c.exactly(12))
    expect("magic", magic, b"\0RES")
    return kind, c.exactly(size).split(b"\0")


def load(m):
    port = m.port[4730]
    timeouts = growing()

    def probe():
        c = Line(port, next(timeouts))
        c.send(b"version\n")
        expect("version", c.line().startswith(b"OK "), True)
        c.close()
    m.until(probe)
    jobs = 8 * 20
    worker = Line(port, 60)
    worker.send(packet(1, b"reverse"))

    def work():
        done = 0
        while done < jobs:
            worker.send(packet(9))
            kind, words = receive(worker)
            if kind == 11:
                worker.send(packet(13, words[0], words[2][::-1]))
                done += 1
            else:
                worker.send(packet(4))
                expect("NOOP", receive(worker)[0], 6)

    def client(id):
        if id == 8:
            return work()
        c = Line(port, 60)
        for i in range(20):
            c.send(packet(7, b"reverse", b"", b"text-%d-%d" % (id, i)))
            expect("JOB_CREATED", receive(c)[0], 8)
            kind, words = receive(c)
            expect("WORK_COMPLETE", (kind, words[1]), (13, (b"text-%d-%d" % (id, i))[::-1]))
    together(9, client)
    c = Line(port)
    c.send(b"status\n")
    expect("status", c.line(), b"reverse\t0\t0\t1")
