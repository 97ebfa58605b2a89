"""Icecast: one source, 8 listeners hear what it sends."""
import base64
import socket
import threading

from apps import Http, answers_http, together
from case import expect

CONFIGURATION = """<icecast><limits><sources>2</sources><clients>50</clients><burst-on-connect>0</burst-on-connect></limits>
<authentication><source-password>secret</source-password><admin-user>admin</admin-user><admin-password>secret</admin-password>
</authentication><hostname>localhost</hostname><listen-socket><port>8000</port><bind-address>0.0.0.0</bind-address></listen-socket>
<paths><basedir>/tmp</basedir><logdir>/tmp</logdir><webroot>/usr/share/icecast2/web</webroot><adminroot>/usr/share/icecast2/admin</adminroot>
</paths><logging><errorlog>-</errorlog><loglevel>2</loglevel></logging>
<security><chroot>0</chroot><changeowner><user>nobody</user><group>nogroup</group></changeowner></security></icecast>"""


def prepare(t):
    t.write("icecast.xml", CONFIGURATION)


def load(m):
    port = m.port[8000]
    m.until(answers_http(port, "/status-json.xsl", 200))
    source = socket.create_connection(("127.0.0.1", port), 60)
    source.sendall(b"SOURCE /stream ICE/1.0\r\nContent-Type: audio/mpeg\r\nAuthorization: Basic "
                   + base64.b64encode(b"source:secret") + b"\r\n\r\n")
    expect("the source", source.recv(100).split()[1], b"200")
    ready = threading.Barrier(9)

    def listen(id):
        if id == 8:
            ready.wait(60)
            source.sendall(b"".join(b"block %06d " % i for i in range(20000)))
            return
        with socket.create_connection(("127.0.0.1", port), 60) as s, s.makefile("rb") as f:
            s.sendall(b"GET /stream HTTP/1.0\r\n\r\n")
            expect("status", f.readline().split()[1], b"200")
            while f.readline().strip():
                pass
            ready.wait(60)
            data = f.read(13 * 1000)
            first = int(data[data.index(b"block ") + 6:][:6])
            at = data.index(b"block ")
            whole = data[at:at + (len(data) - at) // 13 * 13]
            expect("the stream", whole, b"".join(b"block %06d " % i for i in range(first, first + len(whole) // 13)))
    together(9, listen)
    expect("status", b"/stream" in Http(port, 60).ask("/status-json.xsl")[1], True)
    source.close()
