"""Programs that can not work without a second process: the machine says so in one clear line, and nothing hangs."""
import re

from case import Case, Failure, Skip, expect
from machine import Machine
from programs import TABLE, Folder, absent, argv_of, options_of

FILES = {
    "gunicorn": {"app.py": "def app(environment, start):\n    start('200 OK', [])\n    return [b'x']\n"},
    "php-fpm": {"fpm.conf": "[global]\nerror_log = /dev/stderr\ndaemonize = no\n[www]\nlisten = 0.0.0.0:9000\npm = static\n"
                            "pm.max_children = 1\nuser = root\n"},
    "starman": {"app.psgi": "sub { [200, [], ['x']] }\n"},
    "nsd": {"nsd.conf": "server:\n  port: 5353\n  username: root\n  zonesdir: /tmp\n  database: \"\"\n  pidfile: \"\"\n"
                        "  xfrdfile: /tmp/x\n  zonelistfile: /tmp/z\nremote-control:\n  control-enable: no\n"},
}
SAYS = re.compile(r"^mote: .*(fork|vfork|clone) refused \(ENOSYS\): a machine runs one process.*$", re.M)


def test(case, row, files):
    missing = absent(row.packages)
    if missing:
        raise Skip(f"not installed: {' '.join(missing)} (tools/deps apps)")
    t = Folder(case)
    for name, text in files.items():
        t.write(name, text)
    with Machine(case, argv_of(row, t), ports=row.ports, memory=row.memory, options=options_of(row, t), folder=t.path) as m:
        def refused():
            if not SAYS.search(m.text()):
                raise ConnectionError("nothing was refused yet")
        try:
            m.until(refused, row.timeout)
        except Failure:     # it ended at once
            refused()
        m.stop()
    expect("lines about it", len(SAYS.findall(m.text())), 1)


def cases(name):
    return [Case(f"apps/{n}", lambda case, n=n: test(case, TABLE[n], FILES.get(n, {})), 2 * TABLE[n].timeout, slow=True)
            for n in TABLE if TABLE[n].refused is not None]
