"""mosquitto: publish and subscribe at all levels of service, retained messages, a will, 20 subscribers."""
import subprocess
import threading

from apps import client, connects, together
from case import expect

CONNECT = b"\x10\x10\0\4MQTT\4\2\0\x3c\0\4test"


def prepare(t):
    t.write("mosq.conf", "listener 1883 0.0.0.0\nallow_anonymous true\nuser root\n")


def load(m):
    where = ["-h", "127.0.0.1", "-p", str(m.port[1883])]

    def probe():
        expect("CONNACK", connects(m.port[1883], CONNECT)(), b"\x20\x02\0\0")
    m.until(probe)
    client(m.case, ["mosquitto_pub", *where, "-t", "kept", "-m", "retained", "-r", "-q", "1"])
    expect("a retained message", client(m.case, ["mosquitto_sub", *where, "-t", "kept", "-C", "1", "-W", "60"]), "retained\n")
    for quality in "012":
        exchange(m.case, where, quality)


def exchange(case, where, quality):
    """Twenty subscribers, one publisher of 100 lines."""
    n, lines = 20, [f"{quality}-{i}" for i in range(100)]
    ready = threading.Barrier(n + 1)

    def listen(id):
        p = subprocess.Popen(["stdbuf", "-oL", "mosquitto_sub", *where, "-t", "news/#", "-q", quality, "-C", "101", "-W", "120", "-d"],
                             stdout=subprocess.PIPE, text=True)
        for line in p.stdout:
            if "SUBACK" in line:
                break
        ready.wait(100)
        got = [line.strip() for line in p.stdout if line[:2] == f"{quality}-" or line == "end\n"]
        p.wait()
        expect(f"messages of quality {quality} at {id}", got, lines + ["end"])

    def speak():
        ready.wait(100)
        client(case, ["mosquitto_pub", *where, "-t", "news/x", "-q", quality, "-l"], input="".join(f"{s}\n" for s in lines) + "end\n")
    together(n + 1, lambda i: listen(i) if i < n else speak(), 200)
