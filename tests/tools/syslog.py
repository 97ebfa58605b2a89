"""Logs shipped by RFC 5424, to a receiver of our own and to Debian's rsyslogd."""
import os
import re
import socket
import subprocess

from case import Case, Failure, Skip, expect
from instances import Instances, compile_server, free_port, have, until

MESSAGE = re.compile(rb"<14>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+ a - stdout - (.*)", re.S)


def udp(case):
    program = compile_server(case)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, Instances(case) as all_of_them:
        s.bind(("127.0.0.1", 0))
        s.settimeout(20)
        all_of_them.run("a", program, "a", "8080", "100", options=["--log-syslog", f"udp://127.0.0.1:{s.getsockname()[1]}"])
        got = [MESSAGE.fullmatch(s.recv(4096)) for _ in range(101)]
        if not all(got):
            raise Failure("a message is not as RFC 5424 says")
        expect("the lines", [m.group(1).decode() for m in got], [f"line {i} of a" for i in range(100)] + ["listening"])


def read_counted(connection):
    """RFC 6587 3.4.1: the length, a blank, the message."""
    count = b""
    while not count.endswith(b" "):
        byte = connection.recv(1)
        if not byte:
            return None
        count += byte
    message = b""
    while len(message) < int(count):
        message += connection.recv(int(count) - len(message))
    return message


def tcp(case):
    """The server is away at first: nothing is lost, and nothing waits for it."""
    program = compile_server(case)
    port = free_port()
    with Instances(case) as all_of_them:
        all_of_them.run("a", program, "a", "8080", "200", options=["--log-syslog", f"tcp://127.0.0.1:{port}"])
        until("its log is there", lambda: "listening" in all_of_them("logs", "a"))
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", port))
            s.listen()
            s.settimeout(40)
            connection, _ = s.accept()
            connection.settimeout(20)
            lines = [MESSAGE.fullmatch(read_counted(connection)).group(1).decode() for _ in range(201)]
            expect("the lines", lines, [f"line {i} of a" for i in range(200)] + ["listening"])
        expect("an unknown server", "cannot find the syslog server" in
               all_of_them("run", "-d", "--log-syslog", "udp://no.such.invalid", program, status=125), True)


def rsyslog(case):
    if not have("rsyslogd"):
        raise Skip("rsyslogd is not installed (make deps installs rsyslog)")
    program = compile_server(case)
    port, out = free_port(), case.path("received")
    with open(case.path("rsyslog.conf"), "w") as f:
        f.write(f'module(load="imtcp") input(type="imtcp" port="{port}" address="127.0.0.1")\n'
                f'template(name="t" type="string" string="%app-name%|%msgid%|%syslogseverity-text%|%msg%\\n")\n'
                f'*.* action(type="omfile" file="{out}" template="t")\n')
    receiver = subprocess.Popen([have("rsyslogd"), "-n", "-f", f.name, "-i", case.path("pid")], stderr=subprocess.DEVNULL)
    try:
        with Instances(case) as all_of_them:
            all_of_them.run("a", program, "a", "8080", "50", options=["--log-syslog", f"tcp://127.0.0.1:{port}"])
            want = [f"a|stdout|info|line {i} of a" for i in range(50)] + ["a|stdout|info|listening"]

            def received():
                if not os.path.exists(out):
                    return False
                with open(out) as got:
                    return [line.strip() for line in got if line.startswith("a|stdout")] == want
            until("all lines are there", received)
    finally:
        receiver.terminate()
        receiver.wait(20)


def cases(name):
    return [Case(f"{name}/udp", udp, 60), Case(f"{name}/tcp", tcp, 120), Case(f"{name}/rsyslog", rsyslog, 90)]
