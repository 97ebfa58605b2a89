"""Scripts, interpreters and servers: what comes along without being asked for."""
import json
import os
import shutil
import subprocess

import pytest

from conftest import need


def script(tmp_path, name, text, mode=0o755):
    path = tmp_path / name
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def facts(mote, image):
    return json.loads(mote.ok("image", "inspect", "--json", image))


def test_script_runs_its_interpreter(mote, tmp_path):
    perl = need("perl")
    path = script(tmp_path, "s.pl", f"#! {perl}  -w \nprint 1;\n")
    f = facts(mote, mote.build(path, "x"))
    assert f["program"] == perl and f["arguments"] == ["-w", path, "x"]
    assert path in mote.tree(os.path.join(mote.folder, "test.img"))


def test_script_through_env(mote, tmp_path):
    need("perl")
    f = facts(mote, mote.build(script(tmp_path, "s", "#!/usr/bin/env perl\n"), env={"PATH": "/usr/bin:/bin"}))
    assert f["program"] == "/usr/bin/perl" and f["argv0"] == "perl"
    f = facts(mote, mote.build(script(tmp_path, "s", "#!/usr/bin/env -S perl -w -T\n"), env={"PATH": "/usr/bin:/bin"}))
    assert f["arguments"][:2] == ["-w", "-T"]
    assert "env" in mote.fails(126, "build", script(tmp_path, "s", "#!/usr/bin/env -i perl\n"))


def test_script_of_a_script(mote, tmp_path):
    need("perl")
    inner = script(tmp_path, "inner", "#!/usr/bin/perl -x\n")
    f = facts(mote, mote.build(script(tmp_path, "outer", f"#!{inner} -y\n"), "z"))
    assert f["program"] == "/usr/bin/perl" and f["arguments"] == ["-x", inner, "-y", str(tmp_path / "outer"), "z"]
    loop = script(tmp_path, "loop", f"#!{tmp_path}/loop\n")
    assert "without end" in mote.fails(126, "build", loop)


def test_interpreter_is_missing(mote, tmp_path):
    line = mote.fails(127, "build", script(tmp_path, "s", "#!/usr/bin/no-such-interpreter\n"))
    assert "/usr/bin/no-such-interpreter" in line and "install it" in line


def test_relative_names(mote, tmp_path):
    need("perl")
    script(tmp_path, "s.pl", "print 1;\n", 0o644)
    (tmp_path / "sub").mkdir()
    image = mote.build("perl", "../s.pl", cwd=tmp_path / "sub")
    f, tree = facts(mote, image), mote.tree(image)
    assert f["arguments"] == ["../s.pl"] and f["workdir"] == str(tmp_path / "sub") and f["argv0"] == "perl"
    assert str(tmp_path / "s.pl") in tree and f["workdir"] in tree
    f = facts(mote, mote.build("perl", "-e", "1", cwd=tmp_path / "sub"))
    assert f["workdir"] is None


def test_python_has_its_library(mote, tmp_path):
    if not os.path.exists("/usr/bin/python3"):
        pytest.skip("Debian's python3 is not installed")
    app = script(tmp_path, "app.py", "import json, ssl, threading, http.server\n", 0o644)
    image = mote.build("/usr/bin/python3", app)
    tree = mote.tree(image)
    version = os.path.basename(os.path.realpath("/usr/bin/python3"))
    for name in ("os.py", "json/decoder.py", "http/server.py", "encodings/utf_8.py"):
        assert f"/usr/lib/{version}/{name}" in tree
    assert any("_ssl.cpython" in p for p in tree) and any("libssl.so" in p for p in tree)
    assert not [p for p in tree if p.startswith(("/usr/share/doc/", "/usr/share/man/", "/usr/include/"))]
    assert any(p.endswith(".pyc") for p in tree)
    if os.geteuid() == 0:
        run_in_chroot(mote, tmp_path, image, ["/usr/bin/python3", app])


def run_in_chroot(mote, tmp_path, image, argv):
    """What is in the image suffices, says Linux."""
    out = tmp_path / "chroot"
    out.mkdir()
    subprocess.run(["debugfs", "-R", f"rdump / {out}", image], stderr=subprocess.DEVNULL, check=True)
    subprocess.run(["mknod", "-m", "666", str(out / "dev/null"), "c", "1", "3"])
    p = subprocess.run(["chroot", str(out), *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    shutil.rmtree(out)
    assert p.returncode == 0, p.stderr.decode()
    return p.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root")
@pytest.mark.parametrize("argv, says", [
    (["/usr/bin/perl", "-MPOSIX", "-MJSON::PP", "-MIO::Socket", "-e", "print POSIX::floor(2.5)"], b"2"),
    (["/usr/bin/lua5.4", "-e", "print(1+1)"], b"2"),
    (["/usr/bin/sqlite3", ":memory:", "select 40+2"], b"42"),
    (["/usr/bin/node", "-e", "console.log(require('crypto').randomBytes(4).length)"], b"4"),
    (["/usr/sbin/nginx", "-t", "-q"], b""),
    (["/usr/bin/redis-server", "--version"], b"Redis server"),
])
def test_the_image_suffices(mote, tmp_path, argv, says):
    need(argv[0])
    assert says in run_in_chroot(mote, tmp_path, mote.build(argv[0]), argv)


def test_node_without_its_package_manager(mote):
    need("node")
    tree = mote.tree(mote.build("node"))
    assert not [p for p in tree if "/npm/" in p or "python" in p]


def test_server_has_its_configuration(mote):
    need("nginx")
    tree = mote.tree(mote.build("nginx"))
    for path in ("/etc/nginx/nginx.conf", "/etc/nginx/mime.types", "/var/log/nginx", "/var/lib/nginx",
                 "/usr/share/nginx/html/index.html"):
        assert path in tree
    assert not [p for p in tree if p.startswith(("/usr/share/doc", "/usr/share/man", "/etc/init.d", "/lib/systemd"))]


def test_server_has_the_site_its_configuration_names(mote):
    need("nginx")
    if "root /var/www/html;" not in open("/etc/nginx/sites-enabled/default").read():
        pytest.skip("nginx is not as Debian installs it")
    tree = mote.tree(mote.build("nginx"))
    for name in os.listdir("/var/www/html"):
        assert f"/var/www/html/{name}" in tree


def test_a_virtual_environment(mote, tmp_path):
    if not os.path.exists("/usr/bin/python3"):
        pytest.skip("Debian's python3 is not installed")
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    version = os.path.basename(os.path.realpath("/usr/bin/python3"))
    site = venv / "lib" / version / "site-packages"
    site.mkdir(parents=True)
    (site / "mine.py").write_text("print('mine')\n")
    (venv / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    (venv / "bin/python").symlink_to("/usr/bin/python3")
    tree = mote.tree(mote.build(venv / "bin/python", "-c", "import mine"))
    assert str(site / "mine.py") in tree and str(venv / "pyvenv.cfg") in tree
    assert f"/usr/lib/{version}/os.py" in tree


def test_go_program(mote, tmp_path):
    go = shutil.which("go") or pytest.skip("go is not installed")
    (tmp_path / "m.go").write_text('package main\nimport "fmt"\nfunc main() { fmt.Println("go") }\n')
    subprocess.run([go, "build", "-o", "m", "m.go"], cwd=tmp_path, check=True,
                   env=dict(os.environ, CGO_ENABLED="0", GO111MODULE="off", GOCACHE=str(tmp_path / "gocache")))
    image = mote.build("./m")
    assert os.path.getsize(image) < os.path.getsize(tmp_path / "m") + 500 * 1024
