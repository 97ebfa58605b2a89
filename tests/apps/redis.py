"""Debian's redis-server: the answers of Linux to a list of commands, pub/sub, and redis-benchmark."""
import re
import time

from apps import client, program
from case import Failure, expect, free_port
from machine import Linux, Machine
from redis_client import Redis, ready

COMMANDS = """SET greeting hello
GET greeting
GET absent
APPEND greeting !
STRLEN greeting
INCR counter
INCRBY counter 41
DECR greeting
LPUSH list a b c
LRANGE list 0 -1
SADD set x y x
SCARD set
HSET hash f1 v1 f2 v2
HGETALL hash
ZADD board 3 c 1 a 2 b
ZRANGE board 0 -1 WITHSCORES
EXPIRE counter 100
PERSIST counter
SETBIT bits 7 1
BITCOUNT bits
MULTI
SET in-multi 1
INCR in-multi
EXEC
EVAL return{1,2,redis.call('GET','greeting')} 0
TYPE list
DBSIZE
ECHO text
SETEX short 1 gone
TTL absent
UNKNOWN command
OBJECT ENCODING counter
DUMP absent
FLUSHALL
DBSIZE""".splitlines()


def command(redis, port, folder="/"):
    return [redis, "--port", str(port), "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--appendonly", "no",
            "--daemonize", "no", "--dir", folder]


def questions(port):
    r = Redis(port)
    found = {c: r.ask(*c.split()) for c in COMMANDS}
    big = bytes(range(256)) * 4096
    found["SET big"] = r.ask("SET", "big", big)
    found["GET big"] = r.ask("GET", "big") == big
    r.send(b"".join(b"*3\r\n$3\r\nSET\r\n$5\r\nk%04d\r\n$1\r\nx\r\n" % i for i in range(5000)))
    found["pipeline"] = sum(r.answer() == b"+OK" for _ in range(5000))
    found["SCAN"] = len(r.ask("KEYS", "k*"))
    r.close()
    return found


def pubsub(port):
    listener, speaker = Redis(port), Redis(port)
    expect("SUBSCRIBE", listener.ask("SUBSCRIBE", "news"), [b"subscribe", b"news", 1])
    for i in range(100):
        expect("PUBLISH", speaker.ask("PUBLISH", "news", f"item {i}"), 1)
    for i in range(100):
        expect("message", listener.answer(), [b"message", b"news", f"item {i}".encode()])
    speaker.ask("SETEX", "soon", 1, "x")
    time.sleep(1.3)
    expect("after its second", speaker.ask("GET", "soon"), None)


def test(case, cpus):
    redis, benchmark = program("redis-server", "redis-server"), program("redis-benchmark", "redis-tools")
    port = free_port()
    with Linux(case, command(redis, port, case.folder), {port: port}) as m:
        m.until(ready(port))
        linux = questions(port)
    with Machine(case, command(redis, 6379, "/tmp"), ports=[6379], cpus=cpus, memory="128M") as m:
        port = m.port[6379]
        m.until(ready(port))
        found = questions(port)
        for question, answer in linux.items():
            expect(question, found[question], answer)
        pubsub(port)
        refused = Redis(port).ask("BGSAVE")
        if not refused.startswith(b"-ERR"):
            raise Failure(f"BGSAVE, which forks, answered {refused}")
        out = client(case, [benchmark, "-p", str(port), "-t", "set,get,lpush,incr,mset", "-n", "3000", "-c", "20", "--csv"], 100)
        rows = re.findall(r'^"([^"]+)","([\d.]+)"', out, re.M)
        if len(rows) < 5 or not all(float(rate) > 0 for _, rate in rows):
            raise Failure("redis-benchmark gave no rates", out)
        expect("after the benchmark", Redis(port).ask("PING"), b"+PONG")
