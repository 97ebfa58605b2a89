"""etcd: put, get, ranges, transactions, a lease, a watch; 8 clients write at the same time."""
import json
import subprocess

from apps import Http, answers_http, client, together
from case import expect


def load(m):
    end = [f"--endpoints=http://127.0.0.1:{m.port[2379]}", "--command-timeout=60s", "--dial-timeout=30s"]

    def ctl(*words, **options):
        return client(m.case, ["etcdctl", *end, *words], 120, env={"ETCDCTL_API": "3", "PATH": "/usr/bin:/bin"}, **options)
    m.until(answers_http(m.port[2379], "/health"))

    def healthy():
        if Http(m.port[2379], 30).ask("/health")[1] != b'{"health":"true"}':
            raise ConnectionError("not healthy yet")
    m.until(healthy)
    expect("put", ctl("put", "a/1", "one"), "OK\n")
    expect("get", ctl("get", "a/1", "--print-value-only"), "one\n")
    watch = subprocess.Popen(["etcdctl", *end, "watch", "--prefix", "w/", "--rev=1"], env={"ETCDCTL_API": "3"},
                             stdout=subprocess.PIPE, text=True)
    expect("a transaction", ctl("txn", input='value("a/1") = "one"\n\nput a/2 two\n\nput a/2 wrong\n\n'), "SUCCESS\n\nOK\n")
    together(8, lambda id: [ctl("put", f"w/{id}/{i}", f"value {i}") for i in range(5)])
    expect("a range", ctl("get", "--prefix", "w/", "--keys-only").split(), sorted(f"w/{a}/{b}" for a in range(8) for b in range(5)))
    seen = {tuple(watch.stdout.readline().strip() for _ in range(3))[1] for _ in range(40)}
    watch.kill()
    watch.wait()
    expect("the watcher saw", len(seen), 40)
    expect("delete", ctl("del", "--prefix", "w/"), "40\n")
    lease = ctl("lease", "grant", "300").split()[1]
    expect("a key with a lease", ctl("put", "l", "x", f"--lease={lease}"), "OK\n")
    ctl("lease", "revoke", lease)
    expect("goes with it", ctl("get", "l"), "")
    status = json.loads(ctl("endpoint", "status", "-w", "json"))
    expect("the database", status[0]["Status"]["dbSize"] > 0, True)
    ctl("snapshot", "save", m.folder.file("snapshot.db"))
    expect("a snapshot", json.loads(ctl("snapshot", "status", m.folder.file("snapshot.db"), "-w", "json"))["totalKey"] > 0, True)
