"""socat echoes one connection, and ends with it."""
import socket

from case import expect


def load(m):
    def listens():
        if "listening on" not in m.text():
            raise ConnectionError("socat does not listen yet")
    m.until(listens)        # it serves one connection, so none can be spent on asking
    c = socket.create_connection(("127.0.0.1", m.port[5355]), 20)
    for i in range(50):
        c.sendall(b"%04d" % i)
        expect("echo", c.recv(4, socket.MSG_WAITALL), b"%04d" % i)
    c.close()
    expect("socat ends with its connection", m.wait(20), 0)
