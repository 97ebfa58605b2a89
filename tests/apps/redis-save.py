"""redis-server that wants to save by a child: BGSAVE is answered by an error, SAVE works, the server lives on."""
from case import Failure, expect
from redis_client import Redis, ready


def load(m):
    port = m.port[6379]
    m.until(ready(port))
    r = Redis(port)
    # It may try, and fail, at any second.
    expect("CONFIG SET", r.ask("CONFIG", "SET", "stop-writes-on-bgsave-error", "no"), b"+OK")
    for i in range(500):
        expect("SET", r.ask("SET", f"k{i}", "x" * 100), b"+OK")
    answer = r.ask("BGSAVE")
    if not answer.startswith(b"-ERR"):
        raise Failure(f"BGSAVE, which forks, answered {answer}")
    expect("SAVE", r.ask("SAVE"), b"+OK")

    expect("CONFIG SET", r.ask("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes"), b"+OK")

    def refused():
        if not r.ask("SET", "one", "more").startswith(b"-MISCONF"):
            raise ConnectionError("the server has not tried to save by itself yet")
    m.until(refused, 60)
    expect("why", "Can't save in background: fork" in m.text(), True)
    expect("CONFIG SET", r.ask("CONFIG", "SET", "stop-writes-on-bgsave-error", "no"), b"+OK")
    expect("SET", r.ask("SET", "a", "b"), b"+OK")
    expect("reading what was saved", r.ask("DEBUG", "RELOAD"), b"+OK")
    expect("DBSIZE", r.ask("DBSIZE"), 502)
