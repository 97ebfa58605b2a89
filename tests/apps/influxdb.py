"""InfluxDB: points written by 8 clients, asked for again, from its log after all."""
import json
import urllib.parse

from apps import Http, answers_http, together
from case import expect

CONFIGURATION = """reporting-disabled = true
[meta]
  dir = "/tmp/influx/meta"
[data]
  dir = "/tmp/influx/data"
  wal-dir = "/tmp/influx/wal"
[http]
  bind-address = "0.0.0.0:8086"
  log-enabled = false
[monitor]
  store-enabled = false
"""


def prepare(t):
    t.write("influx.conf", CONFIGURATION)


def query(h, text, method="GET"):
    status, body, _ = h.ask("/query?" + urllib.parse.urlencode({"db": "test", "q": text}), method, b"" if method == "POST" else None)
    expect(text, status, 200)
    return json.loads(body)["results"][0].get("series", [{}])[0].get("values")


def load(m):
    port = m.port[8086]
    m.until(answers_http(port, "/ping", 204))
    h = Http(port, 120)
    query(h, "create database test", "POST")

    def client(id):
        c = Http(port, 120)
        for n in range(5):
            lines = "\n".join(f"load,host=h{id} value={n * 100 + i} {1700000000000000000 + (n * 100 + i) * 1000000000}" for i in range(100))
            expect("written", c.ask("/write?db=test", "POST", lines.encode())[0], 204)
    together(8, client)
    expect("count", query(h, "select count(value) from load")[0][1], 4000)
    expect("sum of one", query(h, "select sum(value) from load where host='h3'")[0][1], sum(range(500)))
    expect("by time", [row[1] for row in query(h, "select mean(value) from load where host='h1' and time < 1700000300000000000 "
                                                   "group by time(100s)")][1:3], [149.5, 249.5])
    expect("hosts", len(query(h, "show tag values with key = host")), 8)
