"""node-exporter: what it reads of the machine is well-formed, and right where the test knows it."""
import re

from apps import Http, answers_http, together
from case import Failure, expect

LINE = re.compile(r'^[a-zA-Z_:][\w:]*(\{[^{}]*\})? (-?[\d.]+(e[+-]?\d+)?|NaN|[+-]Inf)$')


def load(m):
    port = m.port[9100]
    m.until(answers_http(port))
    status, body, _ = Http(port, 120).ask("/metrics")
    lines = [line for line in body.decode().splitlines() if not line.startswith("#")]
    expect("lines that are none", [line for line in lines if not LINE.match(line)][:3], [])
    values = {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}
    expect("CPUs", sum('mode="idle"' in name and name.startswith("node_cpu_seconds") for name in values), m.cpus)
    memory = values["node_memory_MemTotal_bytes"]
    if not 200 << 20 < memory <= 256 << 20:
        raise Failure(f"the machine has 256 MB, it says {memory}")
    expect("of which is free", 0 < values["node_memory_MemFree_bytes"] < memory, True)
    expect("load", values["node_load1"] >= 0, True)
    expect("the network", any(name.startswith("node_network_receive_bytes_total{") for name in values), True)
    working = [name for name in values if name.startswith("node_scrape_collector_success") and values[name]]
    expect("collectors that work", {"cpu", "meminfo", "loadavg", "filesystem", "netdev", "stat", "uname", "time", "netstat", "sockstat",
                                    "filefd", "vmstat", "entropy"} - {re.search('"(.*)"', n).group(1) for n in working}, set())

    def client(id):
        for _ in range(3):
            expect("its figures", Http(port, 120).ask("/metrics")[0], 200)
    together(4, client)
