"""The protocol of redis (RESP 2), as far as tests need it."""
from apps import Line, growing
from case import expect


class Redis(Line):
    def ask(self, *words):
        self.send(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in map(encode, words)))
        return self.answer()

    def answer(self):
        line = self.line()
        kind, rest = line[:1], line[1:]
        if kind == b"$":
            if rest == b"-1":
                return None
            data = self.exactly(int(rest) + 2)
            return data[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.answer() for _ in range(int(rest))]
        return kind + rest if kind in b"+-" else int(rest)


def encode(word):
    return word if isinstance(word, bytes) else str(word).encode()


def ready(port):
    timeouts = growing()

    def probe():
        r = Redis(port, next(timeouts))
        try:
            expect("PING", r.ask("PING"), b"+PONG")
        finally:
            r.close()
    return probe
