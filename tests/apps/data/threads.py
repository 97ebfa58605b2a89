# Threads, queues, files, hashes, regular expressions, sockets: what a Python program does all day.
import hashlib, json, os, queue, re, socket, sys, tempfile, threading, time, zlib

q, results, lock = queue.Queue(), [], threading.Lock()


def worker():
    while (n := q.get()) is not None:
        digest = hashlib.sha256(str(n).encode() * 100).hexdigest()
        with lock:
            results.append((n, digest))


threads = [threading.Thread(target=worker) for _ in range(8)]
for t in threads:
    t.start()
for n in range(200):
    q.put(n)
for _ in threads:
    q.put(None)
for t in threads:
    t.join()
print(len(results), hashlib.sha256(repr(sorted(results)).encode()).hexdigest())

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "data.json")
    with open(path, "w") as f:
        json.dump({"list": list(range(1000)), "text": "äöü"}, f)
    with open(path) as f:
        print(sum(json.load(f)["list"]), os.path.getsize(path))
    print(sorted(os.listdir(folder)))

a, b = socket.socketpair()
threading.Thread(target=lambda: (a.sendall(zlib.compress(b"x" * 100000)), a.close())).start()
data = b""
while piece := b.recv(1000):
    data += piece
print(len(zlib.decompress(data)))

event = threading.Event()
print(event.wait(0.05), len(re.findall(r"\b\w+ing\b", "sing and bring the king running " * 100)))
start = time.monotonic()
time.sleep(0.05)
print(0.04 < time.monotonic() - start < 5)
try:
    if os.fork() == 0:
        os._exit(0)
    os.wait()
except OSError as e:
    print("fork:", e.strerror)
try:
    raise ValueError("kept")
except ValueError as e:
    print(repr(e))
sys.exit(5)
