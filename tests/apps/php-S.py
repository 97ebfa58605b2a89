"""PHP's own server: a script, a static file, a post, sessions, SQLite if it is there, an error; 8 clients."""
import hashlib
import os

from apps import Http, answers_http, http_load
from case import expect

SCRIPT = '''<?php
switch ($_GET["q"] ?? "") {
case "post": echo hash("sha256", file_get_contents("php://input")); break;
case "session": session_save_path("/tmp"); session_start(); $_SESSION["n"] = ($_SESSION["n"] ?? 0) + 1; echo $_SESSION["n"]; break;
case "sort": $a = range(0, 99999); mt_srand(1); shuffle($a); sort($a); echo array_sum(array_slice($a, 0, 100)); break;
case "json": echo json_encode(["a" => preg_replace("/b+/", "x", "abbbc"), "v" => PHP_OS]); break;
case "error": throw new Exception("on purpose");
default: echo "hello ", htmlspecialchars($_GET["n"] ?? "you");
}
'''


def prepare(t):
    t.write("www/index.php", SCRIPT)
    t.write("www/file.bin", bytes(range(256)) * 4000)


def load(m):
    port = m.port[8080]
    m.until(answers_http(port))
    h = Http(port, 120)
    body = os.urandom(300000)
    expect("a post", h.ask("/?q=post", "POST", body)[1].decode(), hashlib.sha256(body).hexdigest())
    expect("sorting", h.ask("/?q=sort")[1], b"4950")
    expect("JSON", h.ask("/?q=json")[1], b'{"a":"axc","v":"Linux"}')
    expect("a file", h.ask("/file.bin")[1] == bytes(range(256)) * 4000, True)
    status, text, headers = h.ask("/?q=session")
    expect("a session", (text, h.ask("/?q=session", headers={"Cookie": headers["set-cookie"].split(";")[0]})[1]), (b"1", b"2"))
    expect("an error", h.ask("/?q=error")[0], 500)
    http_load(port, {f"/?n={i}": (200, b"hello %d" % i) for i in range(5)}, rounds=5)
