"""syncthing: its interface, the identity it makes, a folder that it scans."""
import json
import re

from apps import Http, answers_http
from case import expect


def load(m):
    port = m.port[8384]
    m.until(answers_http(port))
    h = Http(port, 120)
    status, page, headers = h.ask("/")
    expect("its page", (status, b"<html" in page), (200, True))
    cookie = headers["set-cookie"].split(";")[0]
    token = {"Cookie": cookie, "X-" + cookie.split("=")[0]: cookie.split("=", 1)[1]}
    expect("ping", json.loads(h.ask("/rest/system/ping", headers=token)[1]), {"ping": "pong"})
    expect("without a token", h.ask("/rest/system/ping")[0], 403)
    system = json.loads(h.ask("/rest/system/status", headers=token)[1])
    expect("its identity", bool(re.fullmatch(r"(\w{7}-){7}\w{7}", system["myID"])), True)
    expect("processors", json.loads(h.ask("/rest/system/version", headers=token)[1])["os"], "linux")
    folders = json.loads(h.ask("/rest/config/folders", headers=token)[1])
    expect("its folder", [f["id"] for f in folders], ["default"])
    expect("scan", h.ask("/rest/db/scan?folder=default", "POST", b"", token)[0], 200)
    expect("state", json.loads(h.ask("/rest/db/status?folder=default", headers=token)[1])["errors"], 0)
