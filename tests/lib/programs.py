"""The programs of tests/apps: one table, and one short file per program (tests/apps/NAME.py), which defines of

    prepare(t)      write what the program needs into its folder (a Folder), before it starts
    load(m)         talk to the running program through m.port[GUEST] (a Machine); its row has ports
    check(m)        look at what the program, which ends by itself, left: m.status, m.text()
    same(text)      instead: run it on Linux as well and compare; text without what may differ
    test(case, cpus)    instead of all: when one machine or one order of things is not enough

The command line is typed in that folder, so files that it names come along by themselves; everything else is in
`options`.  docs/programs.md is made from this table by tools/programs-table, with what the tests said last.
"""
import os
import shlex
import shutil
import subprocess

import guest
from case import Case, Failure, Skip
from machine import Machine

FOLDERS = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


class Row:
    def __init__(self, packages, command, ports="", udp="", memory="256M", options="", quick=False, timeout=240,
                 refused=None, least=None):
        self.packages = packages.split()    # of Debian; the first has the program
        self.command = command              # as typed
        self.ports = [int(p) for p in ports.split()]
        self.udp = [int(p) for p in udp.split()]
        self.memory = memory
        self.options = shlex.split(options)     # of mote run
        self.quick = quick                  # part of make test, with one CPU
        self.timeout = timeout
        self.least = least                  # with one CPU its load passes in this, too (24M was the least tried)
        self.refused = refused              # it needs a second process: what to run instead


TABLE = {
    "nginx": Row("nginx-light", "nginx -e stderr -c $PWD/nginx.conf", ports="8080", options="-f www", quick=True, timeout=60),
    "redis": Row("redis-server redis-tools",
                 "redis-server --port 6379 --bind 0.0.0.0 --protected-mode no --save '' --appendonly no --daemonize no --dir /tmp",
                 ports="6379", memory="128M", quick=True, timeout=90),
    "memcached": Row("memcached", "memcached -u root -m 64 -l 0.0.0.0 -p 11211 -U 11211 -t 2", ports="11211", udp="11211",
                     memory="192M", quick=True, least="24M"),
    "sqlite3": Row("sqlite3", "sqlite3 x.db '.read script.sql'", memory="128M", options="-f script.sql --net none", quick=True),
    "node": Row("nodejs", "node app.js 8080", ports="8080", memory="512M", quick=True, least="24M"),
    "go-mux": Row("golang-go golang-github-gorilla-mux-dev", "./go-mux-server 8080", ports="8080", quick=True, timeout=120),
    "netcat-udp-echo": Row("socat", "socat UDP-LISTEN:5354,bind=0.0.0.0,reuseaddr PIPE", udp="5354", quick=True),
    "socat-tcp": Row("socat", "socat -d -d TCP-LISTEN:5355,bind=0.0.0.0,reuseaddr PIPE", ports="5355", quick=True),
    "haproxy": Row("haproxy", "haproxy -f haproxy.cfg -db", ports="8080 8081", least="24M"),
    "mariadbd": Row("mariadb-server-core mariadb-client-core",
                    "mariadbd --no-defaults --user=root --datadir=$PWD/mysql --socket=/tmp/my.sock --port=3306 "
                    "--bind-address=0.0.0.0 --skip-log-bin --init-file=$PWD/init.sql",
                    ports="3306", memory="512M", options="-f mysql", timeout=600, least="256M"),
    "postgres-single": Row("postgresql-15",
                           "setpriv --reuid=65534 --regid=65534 --clear-groups /usr/lib/postgresql/15/bin/postgres --single "
                           "-D pg -j postgres",
                           options="-f pg -f /usr/lib/locale/C.utf8 -f /usr/lib/postgresql/15 -f /usr/share/postgresql/15 --net none", timeout=300),
    "mosquitto": Row("mosquitto mosquitto-clients", "mosquitto -c mosq.conf", ports="1883", least="24M"),
    "unbound": Row("unbound", "unbound -d -c unbound.conf", udp="5353", ports="5353"),
    "dnsmasq": Row("dnsmasq-base",
                   "dnsmasq --no-daemon --conf-file=/dev/null --port=5353 --no-resolv --address=/a.test/1.2.3.4 "
                   "--listen-address=0.0.0.0 --bind-interfaces --user=root", udp="5353", ports="5353", quick=True, least="24M"),
    "bind9": Row("bind9", "named -g -f -n 2 -c named.conf", udp="5353", ports="5353", options="-f zone"),
    "tinyproxy": Row("tinyproxy", "tinyproxy -d -c tiny.conf", ports="8888", quick=True),
    "java": Row("openjdk-17-jdk-headless", "java -Xmx256m -XX:+UseSerialGC -cp . H 8080", ports="8080", memory="512M",
                options="-f H.class", timeout=600),
    "java-g1": Row("openjdk-17-jdk-headless", "java -Xmx512m -XX:+UseG1GC -cp . H 8080", ports="8080", memory="1G",
                   options="-f H.class", timeout=600),
    "tomcat10": Row("tomcat10 openjdk-17-jdk-headless",
                    "java -Xmx256m -Djava.awt.headless=true -Dcatalina.home=/usr/share/tomcat10 -Dcatalina.base=tc "
                    "-Djava.io.tmpdir=/tmp -Djava.util.logging.manager=org.apache.juli.ClassLoaderLogManager "
                    "-cp /usr/share/tomcat10/bin/bootstrap.jar:/usr/share/tomcat10/bin/tomcat-juli.jar "
                    "org.apache.catalina.startup.Bootstrap start",
                    ports="8080", memory="768M", options="-f tc -f /usr/share/tomcat10 -f /usr/share/java", timeout=900),
    "jetty9": Row("jetty9 openjdk-17-jdk-headless",
                  "java -Xmx256m -jar /usr/share/jetty9/start.jar jetty.base=jt jetty.home=/usr/share/jetty9",
                  ports="8080", memory="768M", options="-f jt -f /usr/share/jetty9 -f /etc/jetty9 -f /usr/share/java", timeout=900),
    "python-flask": Row("python3-flask", "/usr/bin/python3 flaskapp.py", ports="8080",
                        options="-f /usr/lib/python3/dist-packages", timeout=300, least="32M"),
    "python-django": Row("python3-django", "/usr/bin/python3 dj/app.py runserver --noreload 0.0.0.0:8080", ports="8080",
                         options="-f /usr/lib/python3/dist-packages -f /usr/share/zoneinfo", timeout=300),
    "uwsgi": Row("uwsgi-plugin-python3 uwsgi-core python3-flask",
                 "uwsgi --plugin python3 --http-socket 0.0.0.0:8080 --need-app --chdir . --wsgi-file flaskapp.py "
                 "--callable app --threads 2 --add-header 'Connection: close'", ports="8080",
                 options="-f flaskapp.py -f /usr/lib/uwsgi/plugins -f /usr/lib/python3.11 -f /usr/lib/python3", timeout=300),
    "ruby": Row("ruby ruby-webrick", "ruby web.rb", ports="8080", options="-f /usr/share/rubygems-integration", timeout=300),
    "php-S": Row("php8.2-cli", "php -S 0.0.0.0:8080 -t www", ports="8080", options="-f www", timeout=300, least="24M"),
    "caddy": Row("caddy", "caddy run --config Caddyfile --adapter caddyfile", ports="8443 8080",
                 options="-f www -f ca.pem -f ca.key", timeout=300),
    "prometheus": Row("prometheus",
                      "prometheus --config.file=prom.yml --storage.tsdb.path=tsdb --web.listen-address=0.0.0.0:9090",
                      ports="9090", memory="512M", timeout=300),
    "node-exporter": Row("prometheus-node-exporter", "prometheus-node-exporter --web.listen-address=0.0.0.0:9100",
                         ports="9100"),
    "etcd": Row("etcd-server etcd-client",
                "etcd --data-dir etcd --listen-client-urls http://0.0.0.0:2379 --advertise-client-urls http://0.0.0.0:2379",
                ports="2379", memory="512M", timeout=300, least="128M"),
    "syncthing": Row("syncthing",
                     "syncthing serve --no-browser --home=sync --gui-address=0.0.0.0:8384 --no-restart --no-upgrade",
                     ports="8384", memory="512M", options="-e STMONITORED=yes", timeout=300),
    "rclone": Row("rclone", "rclone serve http www --addr 0.0.0.0:8080", ports="8080", options="-f www", timeout=300),
    "luajit": Row("luajit", "luajit lj.lua", quick=True),
    "ocaml": Row("ocaml-nox", "./webml 8080", ports="8080"),
    "ripgrep-rust": Row("ripgrep", "rg --sort path -c h www /etc/services", options="-f www -f /etc/services --net none"),
    "h2o": Row("h2o", "h2o -m worker -c h2o.conf", ports="8080", options="-f www"),
    "apache2-X": Row("apache2-bin", "apache2 -X -f $PWD/apache.conf", ports="8080", options="-f www", least="24M"),
    "iperf3": Row("iperf3", "iperf3 -s", ports="5201"),
    "privoxy": Row("privoxy", "privoxy --no-daemon privoxy.conf", ports="8118"),
    "webfsd": Row("webfs", "webfsd -F -p 8080 -r www -u root -g root", ports="8080", options="-f www", quick=True),
    "perl": Row("perl", "perl web.pl 8080", ports="8080"),
    "lua": Row("lua5.4 lua-socket", "lua5.4 web.lua 8080", ports="8080",
               options="-f /usr/share/lua/5.4 -f /usr/lib/x86_64-linux-gnu/lua/5.4"),
    "redis-aof": Row("redis-server redis-tools",
                     "redis-server --port 6379 --bind 0.0.0.0 --protected-mode no --save '' --appendonly yes "
                     "--appendfsync everysec --dir /tmp --enable-debug-command yes", ports="6379"),
    "redis-save": Row("redis-server redis-tools",
                      "redis-server --port 6379 --bind 0.0.0.0 --protected-mode no --dir /tmp --save 1 1 --enable-debug-command yes", ports="6379"),
    # Not in apps.md.
    "lighttpd": Row("lighttpd", "lighttpd -D -f lighttpd.conf", ports="8080", options="-f www"),
    "squid": Row("squid", "squid -N -f $PWD/squid.conf", ports="3128"),
    "stunnel": Row("stunnel4", "stunnel4 stunnel.conf", ports="8443", options="-f cert.pem -f key.pem"),
    "sbcl": Row("sbcl", "sbcl --script script.lisp", memory="512M"),
    "nats": Row("nats-server", "nats-server -a 0.0.0.0 -p 4222", ports="4222"),
    "beanstalkd": Row("beanstalkd", "beanstalkd -l 0.0.0.0 -p 11300 -b /tmp", ports="11300"),
    "ngircd": Row("ngircd", "ngircd -n -f $PWD/ngircd.conf", ports="6667"),
    "pdns-recursor": Row("pdns-recursor", "pdns_recursor --config-dir=$PWD", ports="5353", udp="5353",
                         options="-f recursor.conf -f zone"),
    "knot": Row("knot", "knotd -c knot.conf", ports="5353", udp="5353", options="-f zone"),
    "icecast2": Row("icecast2", "icecast2 -c icecast.xml", ports="8000"),
    "coturn": Row("coturn", "turnserver -c $PWD/turn.conf", ports="3478", udp="3478"),
    "tor": Row("tor", "tor -f torrc", ports="9051"),
    "influxdb": Row("influxdb", "influxd -config influx.conf", ports="8086", memory="512M"),
    "gearmand": Row("gearman-job-server", "gearmand --listen=0.0.0.0 --port=4730 --log-file=stderr --verbose=WARNING", ports="4730"),
    "python-tornado": Row("python3-tornado", "/usr/bin/python3 app.py", ports="8080", options="-f /usr/lib/python3/dist-packages"),
    "python-aiohttp": Row("python3-aiohttp", "/usr/bin/python3 app.py", ports="8080", options="-f /usr/lib/python3/dist-packages"),
    "python-uvicorn": Row("uvicorn", "/usr/bin/python3 app.py", ports="8080", options="-f /usr/lib/python3/dist-packages"),

    # They can not work without a second process; REFUSED says what to run instead.
    "gunicorn": Row("gunicorn", "gunicorn -w 1 -b 0.0.0.0:8080 app:app", ports="8080", timeout=60, refused="uwsgi, uvicorn",
                    options="-f app.py -f /usr/lib/python3/dist-packages"),
    "php-fpm": Row("php8.2-fpm", "php-fpm8.2 -F -R -y fpm.conf", ports="9000", timeout=60, refused="php -S"),
    "starman": Row("starman", "starman --workers 1 --host 0.0.0.0 --port 8080 app.psgi", ports="8080", timeout=60,
                   refused="plackup with HTTP::Server::PSGI", options="-f /usr/share/perl5 -f /usr/lib/x86_64-linux-gnu/perl5"),
    "nsd": Row("nsd", "nsd -d -c nsd.conf", udp="5353", ports="5353", timeout=60, refused="knot, bind9"),
    "varnish": Row("varnish", "varnishd -F -a 0.0.0.0:8080 -b 127.0.0.1:8081 -n /tmp/vn -s malloc,32m", ports="8080", timeout=60,
                   refused="haproxy, nginx"),
    "erlang": Row("erlang-base", "/usr/lib/erlang/erts-13.1.5/bin/erlexec -noshell -noinput", timeout=60, refused="",
                  options="-e ROOTDIR=/usr/lib/erlang -e BINDIR=/usr/lib/erlang/erts-13.1.5/bin -e EMU=beam -e PROGNAME=erl "
                          "-f /usr/lib/erlang"),
}


class Folder:
    """Where the command line is typed: build/tests/out/apps/NAME/SIZE/t."""

    def __init__(self, case):
        self.case = case
        self.path = case.path("t")
        os.makedirs(self.path)

    def file(self, name):
        return os.path.join(self.path, name)

    def write(self, name, content):
        """A text, or bytes; folders are made on the way."""
        os.makedirs(os.path.dirname(self.file(name)), exist_ok=True)
        with open(self.file(name), "wb") as f:
            f.write(content.encode() if isinstance(content, str) else content)

    def run(self, *argv, stdin=b"", env=None):
        """A helper on this host: a compiler, a program that makes the data."""
        p = subprocess.run(argv, cwd=self.path, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           env=dict(os.environ, **env) if env else None)
        if p.returncode:
            raise Failure(f"{os.path.basename(argv[0])} on the host: exit status {p.returncode}",
                          p.stdout[-3000:].decode(errors="replace"))
        return p.stdout


def argv_of(row, t):
    """The command line as a shell would split it; the program as a path."""
    words = shlex.split(row.command.replace("$PWD", t.path))
    if "/" in words[0]:
        path = words[0] if words[0].startswith("/") else t.file(words[0])
    else:
        path = shutil.which(words[0], path=FOLDERS)
    if not path or not os.path.exists(path):
        raise Skip(f"{words[0]} is not installed (tools/deps apps installs {row.packages[0]})")
    return [path, *words[1:]]


def options_of(row, t):
    return [word.replace("$PWD", t.path) for word in row.options]


def run(case, cpus, row, module):
    t = Folder(case)
    missing = absent(row.packages)
    if missing:
        raise Skip(f"not installed: {' '.join(missing)} (tools/deps apps)")
    if hasattr(module, "prepare"):
        module.prepare(t)
    argv = argv_of(row, t)
    with Machine(case, argv, ports=row.ports, udp=row.udp, cpus=cpus, memory=row.memory, options=options_of(row, t),
                 folder=t.path, stdin=t.file("stdin")) as m:
        m.case, m.cpus, m.folder, m.patience = case, cpus, t, row.timeout // 2
        if hasattr(module, "load"):
            module.load(m)
            return
        m.status = m.wait(row.timeout)
    if hasattr(module, "check"):
        module.check(m)
        return
    with open(t.file("stdin") if os.path.exists(t.file("stdin")) else os.devnull, "rb") as stdin:
        linux = subprocess.run(argv, cwd=t.path, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    same = getattr(module, "same", lambda text: text)
    guest.compare((linux.returncode, same(linux.stdout)), (m.status, same(m.output())))


def from_elsewhere(package):
    """Many machines have another node than Debian's: the command is enough."""
    return package == "nodejs" and shutil.which("node", path=FOLDERS) is not None


def absent(packages):
    """Those that dpkg does not know as installed."""
    packages = [name for name in packages if not from_elsewhere(name)]
    if not packages:
        return []
    p = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n", *packages], capture_output=True, text=True)
    there = {line.split()[1] for line in p.stdout.splitlines() if line.startswith("installed ")}
    return [name for name in packages if name not in there]


def cases(name, module):
    """NAME/1cpu and NAME/4cpus."""
    row = TABLE[name.removeprefix("apps/")]

    def one(case, cpus):
        if hasattr(module, "test"):
            module.test(case, cpus)
        else:
            run(case, cpus, row, module)
    return [Case(f"{name}/{cpus}cpu{'s' * (cpus > 1)}", lambda case, cpus=cpus: one(case, cpus), row.timeout * 2,
                 slow=not row.quick) for cpus in (1, 4)]
