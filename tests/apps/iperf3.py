"""iperf3: the host sends and receives for two seconds each."""
import json
import subprocess

from case import expect


def load(m):
    def until(*words):
        return m.until(lambda: run(m, *words))
    for words in (("-t", "2"), ("-t", "2", "-R"), ("-t", "2", "-P", "4")):
        end = until(*words)["end"]
        expect(f"bytes with {' '.join(words)}", end["sum_received"]["bytes"] > 1 << 20, True)


def run(m, *words):

    p = subprocess.run(["iperf3", "-J", "--connect-timeout", "5000", "-c", "127.0.0.1", "-p", str(m.port[5201]), *words],
                       capture_output=True, timeout=120)
    answer = json.loads(p.stdout)
    if "error" in answer:
        raise ConnectionError(answer["error"])
    return answer
