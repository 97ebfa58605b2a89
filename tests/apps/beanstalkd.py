"""beanstalkd: jobs put, reserved, delayed, buried; 8 workers; its journal."""
from apps import Line, growing, together
from case import expect


def ask(c, text):
    c.send(text + b"\r\n")
    return c.line()


def load(m):
    port = m.port[11300]
    timeouts = growing()

    def probe():
        c = Line(port, next(timeouts))
        expect("a tube", ask(c, b"list-tube-used"), b"USING default")
        c.close()
    m.until(probe)
    c = Line(port)
    expect("a job", ask(c, b"put 10 0 60 5\r\nhello"), b"INSERTED 1")
    expect("reserved", (ask(c, b"reserve"), c.line()), (b"RESERVED 1 5", b"hello"))
    expect("deleted", ask(c, b"delete 1"), b"DELETED")
    expect("a delayed one", ask(c, b"put 1 1 60 4\r\nsoon"), b"INSERTED 2")
    expect("comes", (ask(c, b"reserve-with-timeout 30"), c.line()), (b"RESERVED 2 4", b"soon"))
    expect("buried", ask(c, b"bury 2 1"), b"BURIED")
    expect("kicked", ask(c, b"kick 10"), b"KICKED 1")
    expect("deleted", ask(c, b"delete 2"), b"DELETED")
    seen = []

    def worker(id):
        w = Line(port)
        for i in range(40):
            expect("put", ask(w, b"put 5 0 60 3\r\njob").split()[0], b"INSERTED")
        for i in range(40):
            word, id, _ = ask(w, b"reserve-with-timeout 30").split()
            w.line()
            seen.append(id)
            expect("deleted", ask(w, b"delete " + id), b"DELETED")
        w.close()
    together(8, worker)
    expect("each job once", len(set(seen)), 320)
