"""Prometheus scrapes itself; its query interface, its own figures, the database's writes."""
import json
import time
import urllib.parse

from apps import Http, answers_http, http_load
from case import expect

CONFIGURATION = """global:
  scrape_interval: 1s
scrape_configs:
  - job_name: itself
    static_configs:
      - targets: ["127.0.0.1:9090"]
"""


def prepare(t):
    t.write("prom.yml", CONFIGURATION)


def query(h, text):
    status, body, _ = h.ask("/api/v1/query?" + urllib.parse.urlencode({"query": text}))
    answer = json.loads(body)
    expect(f"query {text}", (status, answer["status"]), (200, "success"))
    return answer["data"]["result"]


def load(m):
    port = m.port[9090]
    m.until(answers_http(port, "/-/ready", 200))

    def scraped():
        found = query(Http(port, 60), "count_over_time(up[1m])")
        if not found or int(found[0]["value"][1]) < 3:
            raise ConnectionError("not scraped three times yet")
    m.until(scraped)
    h = Http(port, 60)
    expect("the target is up", query(h, "up")[0]["value"][1], "1")
    expect("arithmetic", query(h, "sum(vector(40)) + 2")[0]["value"][1], "42")
    expect("memory of its own", float(query(h, "process_resident_memory_bytes")[0]["value"][1]) > 1e6, True)
    expect("open files", float(query(h, "process_open_fds")[0]["value"][1]) > 3, True)
    expect("processors", query(h, "go_info")[0]["value"][1], "1")
    status, body, _ = h.ask("/metrics")
    expect("its figures", (status, b"prometheus_tsdb_head_samples_appended_total" in body), (200, True))
    targets = json.loads(h.ask("/api/v1/targets")[1])["data"]["activeTargets"]
    expect("its target", [t["health"] for t in targets], ["up"])
    http_load(port, {"/-/ready": (200, b"Prometheus Server is Ready.\n")}, rounds=5)
