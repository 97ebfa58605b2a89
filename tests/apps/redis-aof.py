"""redis-server with an append-only file: it writes, says that it can not rewrite it (that forks), and serves on."""
from apps import together
from case import Failure, expect
from redis_client import Redis, ready


def load(m):
    port = m.port[6379]
    m.until(ready(port))

    def writer(id):
        r = Redis(port)
        for i in range(200):
            expect("INCR", r.ask("INCR", f"counter{id}"), i + 1)
            expect("RPUSH", r.ask("RPUSH", "list", f"{id}-{i}") > 0, True)
        r.close()
    together(8, writer)
    r = Redis(port)
    answer = r.ask("BGREWRITEAOF")
    if b"ERR" not in answer:
        raise Failure(f"BGREWRITEAOF, which forks, answered {answer}")
    expect("the file grows", int(info(r)["aof_current_size"]) > 50000, True)
    expect("the last write", info(r)["aof_last_write_status"], "ok")
    expect("reading it again", r.ask("DEBUG", "LOADAOF"), b"+OK")
    expect("the list", r.ask("LLEN", "list"), 1600)
    expect("a counter", r.ask("GET", "counter7"), b"200")


def info(r):
    return dict(line.split(":", 1) for line in r.ask("INFO", "persistence").decode().splitlines() if ":" in line)
