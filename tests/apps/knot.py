"""Knot DNS, authoritative for a zone, with its database and threads: UDP and TCP, 8 clients."""
import zone_server
from zone_server import load

CONFIGURATION = """server:
    listen: 0.0.0.0@5353
    rundir: "/tmp"
    udp-workers: 2
    tcp-workers: 2
database:
    storage: "/tmp"
log:
  - target: stderr
    any: info
zone:
  - domain: a.test
    file: "ZONE"
    zonefile-sync: -1
"""


def prepare(t):
    t.write("zone", zone_server.ZONE)
    t.write("knot.conf", CONFIGURATION.replace("ZONE", t.file("zone")))
