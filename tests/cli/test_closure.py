"""Which libraries come along: what the dynamic loader would use, found without running anything."""
import os
import re
import shutil
import subprocess

import pytest

from conftest import need

MAIN = "int f(void);\nint main(void) { return f(); }\n"
LIB = "int f(void) { return 0; }\n"


def loader_says(program):
    """The real files the loader maps for a program that can be trusted."""
    out = subprocess.run(["ldd", program], stdout=subprocess.PIPE, check=True).stdout.decode()
    return {os.path.realpath(m) for m in re.findall(r"(/[^ ]+) \(0x", out)}


@pytest.mark.parametrize("name", ["ls", "nginx", "redis-server", "sqlite3", "socat", "memcached", "perl", "lua5.4", "gdb"])
def test_same_libraries_as_the_loader(mote, name):
    program = os.path.realpath(need(name))
    tree = mote.tree(mote.build(name))
    assert not [lib for lib in loader_says(program) if lib not in tree]
    assert program in tree


def test_static_program_brings_no_library(mote, compile):
    program = compile("static", "int main(void) { return 0; }", "-static")
    image = mote.build(program)
    assert not [p for p in mote.tree(image) if ".so" in p]
    assert os.path.getsize(image) < os.path.getsize(program) + 300 * 1024


def test_names_are_kept_as_links(mote, compile, tmp_path):
    lib = compile("lib/libf.so.1.2.3", LIB, "-shared", "-fPIC", "-Wl,-soname,libf.so.1")
    os.symlink("libf.so.1.2.3", tmp_path / "lib/libf.so.1")
    tree = mote.tree(mote.build(compile("p", MAIN, lib, "-Wl,-rpath,$ORIGIN/lib")))
    assert tree[lib]["type"] == "file"
    assert tree[str(tmp_path / "lib/libf.so.1")]["target"] == "libf.so.1.2.3"


@pytest.mark.parametrize("flags", [["-Wl,--disable-new-dtags"], ["-Wl,--enable-new-dtags"]])
@pytest.mark.parametrize("origin", ["$ORIGIN", "${ORIGIN}"])
def test_run_paths(mote, compile, tmp_path, flags, origin):
    lib = compile("deep/er/libf.so", LIB, "-shared", "-fPIC")
    program = compile("bin/p", MAIN, lib, f"-Wl,-rpath,{origin}/../deep/er", *flags)
    assert lib in mote.tree(mote.build(program))


def test_rpath_of_the_program_serves_its_libraries(mote, compile, tmp_path):
    """RPATH is inherited, RUNPATH is not: ld.so(8)."""
    inner = compile("l/libinner.so", LIB, "-shared", "-fPIC", "-Wl,-soname,libinner.so")
    outer = compile("l/libouter.so", "int f(void);\nint g(void) { return f(); }", "-shared", "-fPIC", inner,
                    "-Wl,-soname,libouter.so")
    main = "int g(void);\nint main(void) { return g(); }"
    link = ["-L", tmp_path / "l", f"-Wl,-rpath-link,{tmp_path}/l", outer]
    assert inner in mote.tree(mote.build(compile("p1", main, *link, "-Wl,--disable-new-dtags", f"-Wl,-rpath,{tmp_path}/l")))
    program = compile("p2", main, *link, "-Wl,--enable-new-dtags", f"-Wl,-rpath,{tmp_path}/l")
    assert subprocess.run([program], stderr=subprocess.DEVNULL).returncode == 127
    assert "libinner.so" in mote.fails(127, "build", program)


def test_a_library_needed_by_its_path(mote, compile):
    lib = compile("l/libf.so", LIB, "-shared", "-fPIC")
    assert lib in mote.tree(mote.build(compile("p", MAIN, lib)))


def test_library_path_of_the_program(mote, compile, tmp_path):
    lib = compile("else/libf.so", LIB, "-shared", "-fPIC", "-Wl,-soname,libf.so")
    program = compile("p", MAIN, lib)
    line = mote.fails(127, "build", program)
    assert "libf.so" in line and program in line and "/etc/ld.so.cache" in line and "/usr/lib" in line
    assert lib in mote.tree(mote.build("-e", f"LD_LIBRARY_PATH={tmp_path}/else", program))


def test_a_library_for_another_machine_is_passed_over(mote, compile, tmp_path):
    lib = compile("right/libf.so", LIB, "-shared", "-fPIC", "-Wl,-soname,libf.so")
    (tmp_path / "wrong").mkdir()
    data = bytearray(open(lib, "rb").read())
    data[18] = 183
    (tmp_path / "wrong/libf.so").write_bytes(data)
    tree = mote.tree(mote.build(compile("p", MAIN, lib, f"-Wl,-rpath,{tmp_path}/wrong:{tmp_path}/right")))
    assert lib in tree and str(tmp_path / "wrong/libf.so") not in tree


def test_root_folder(mote, compile, tmp_path):
    """Everything of a --root comes along, nothing of the host, and its links stay inside."""
    root = tmp_path / "root"
    for folder in ("bin", "usr/lib/x86_64-linux-gnu", "lib64", "data"):
        (root / folder).mkdir(parents=True)
    shutil.copy(compile("p", MAIN, compile("libf.so", LIB, "-shared", "-fPIC", "-Wl,-soname,libf.so")), root / "bin/p")
    shutil.copy(tmp_path / "libf.so", root / "usr/lib/x86_64-linux-gnu")
    (root / "data/file").write_text("kept")
    (root / "data/out").symlink_to("/etc/passwd")
    line = mote.fails(127, "build", "--root", root, "/bin/p")
    assert "ld-linux" in line and str(root) in line
    shutil.copy("/lib64/ld-linux-x86-64.so.2", root / "lib64")
    line = mote.fails(127, "build", "--root", root, "/bin/p")
    assert "libc.so.6" in line
    shutil.copy("/lib/x86_64-linux-gnu/libc.so.6", root / "usr/lib/x86_64-linux-gnu")
    tree = mote.tree(mote.build("--root", root, "/bin/p"))
    assert {"/bin/p", "/data/file", "/usr/lib/x86_64-linux-gnu/libf.so", "/tmp", "/etc/hosts"} <= set(tree)
    assert tree["/data/out"]["target"] == "/etc/passwd" and "/lib" not in tree
    assert mote.tree(mote.build(root, "/bin/p", "x")).keys() == tree.keys()
    subprocess.run(["tar", "-C", root, "-czf", tmp_path / "root.tar.gz", "."], check=True)
    assert mote.tree(mote.build("--root", tmp_path / "root.tar.gz", "/bin/p")).keys() == tree.keys()
    image = mote.build("--root", root, "/bin/p", name="first.img")
    assert mote.tree(mote.build("--root", image, "/bin/p")).keys() == tree.keys()


def test_a_program_of_the_host_on_another_root(mote, compile, tmp_path):
    root = tmp_path / "root"
    for folder in ("usr/lib/x86_64-linux-gnu", "lib64"):
        (root / folder).mkdir(parents=True)
    shutil.copy("/lib64/ld-linux-x86-64.so.2", root / "lib64")
    shutil.copy("/lib/x86_64-linux-gnu/libc.so.6", root / "usr/lib/x86_64-linux-gnu")
    program = compile("p", "int main(void) { return 0; }")
    tree = mote.tree(mote.build("--root", root, program))
    assert program in tree and "/usr/lib/x86_64-linux-gnu/libc.so.6" in tree


def test_certificates_only_where_somebody_reads_them(mote, compile):
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    if not os.path.exists(bundle):
        pytest.skip("the host has no certificates")
    plain = compile("plain", "int main(void) { return 0; }", "-static")
    go_like = compile("go", 'const char *p = "/etc/ssl/certs/ca-certificates.crt";\nint main(void) { return !p; }', "-static")
    assert bundle not in mote.tree(mote.build(plain))
    assert bundle in mote.tree(mote.build(go_like))


def test_plugins_bring_their_libraries(mote, compile, tmp_path):
    lib = compile("lib/libf.so", LIB, "-shared", "-fPIC", "-Wl,-soname,libf.so")
    plugin = compile("plugins/plug.so", "int f(void);\nint g(void) { return f(); }", "-shared", "-fPIC", lib,
                     "-Wl,-rpath,$ORIGIN/../lib")
    tree = mote.tree(mote.build("-f", tmp_path / "plugins", "/bin/true"))
    assert plugin in tree and lib in tree


def test_added_programs_bring_their_libraries(mote, compile, tmp_path):
    """postgres started by setpriv, a helper named by an argument: both found no library."""
    lib = compile("lib/libf.so", LIB, "-shared", "-fPIC")
    helper = compile("bin/helper", MAIN, lib, f"-Wl,-rpath,{tmp_path}/lib")
    main = compile("main", "int main(void) { return 0; }")
    assert lib in mote.tree(mote.build("-f", helper, main))
    assert lib in mote.tree(mote.build("-f", tmp_path / "bin", main))
    assert lib not in mote.tree(mote.build(main))


def test_links_out_of_an_added_folder(mote, compile, tmp_path):
    """Tomcat's jars are links to other packages'; files that not everybody may read stay here."""
    for name, mode in (("open", 0o644), ("closed", 0o600)):
        (tmp_path / name).write_text(name)
        os.chmod(tmp_path / name, mode)
    (tmp_path / "dir").mkdir()
    for name in ("open", "closed", "absent"):
        os.symlink(f"../{name}", tmp_path / "dir" / name)
    tree = mote.tree(mote.build("-f", tmp_path / "dir", compile("main", "int main(void) { return 0; }")))
    assert str(tmp_path / "open") in tree and tree[str(tmp_path / "dir/absent")]["target"] == "../absent"
    assert str(tmp_path / "closed") not in tree
