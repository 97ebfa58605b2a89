"""BIND's named, authoritative for a zone: UDP and TCP, aliases, what is not there, 8 clients."""
import zone_server
from zone_server import load

CONFIGURATION = """
options { directory "/tmp"; listen-on port 5353 { any; }; listen-on-v6 { none; }; recursion no; pid-file none;
          session-keyfile none; dnssec-validation no; allow-query { any; }; };
controls { };
zone "a.test" { type primary; file "ZONE"; };
"""


def prepare(t):
    t.write("zone", zone_server.ZONE)
    t.write("named.conf", CONFIGURATION.replace("ZONE", t.file("zone")))
