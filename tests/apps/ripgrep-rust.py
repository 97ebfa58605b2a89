"""ripgrep searches a tree in several threads; as on Linux."""
import random


def prepare(t):
    r = random.Random(7)
    for i in range(200):
        words = (r.choice(("hello", "there", "path", "xyz", "Über", "1234")) for _ in range(500))
        t.write(f"www/{i % 10}/{i}.txt", "\n".join(words))
    t.write("www/binary", b"\0h\0" * 1000)
    t.write("www/.hidden", "hhh\n")
