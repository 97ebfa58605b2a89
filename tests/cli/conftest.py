"""What tests of the command share: running it in a place of its own, programs to give it, a stand-in kernel."""
import os
import shutil
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build"))
MOTE = os.environ.get("MOTE", os.path.join(BUILD, "mote"))
STUB = os.path.join(ROOT, "tests", "cli", "stub")


class Mote:
    """The command with a cache and a working directory that nobody else uses."""

    def __init__(self, folder):
        self.folder = folder
        self.cache = os.path.join(folder, "cache")
        self.env = dict(os.environ, XDG_CACHE_HOME=self.cache, XDG_DATA_HOME=os.path.join(folder, "data"), LC_ALL="C")
        for name in ("MOTE_KERNEL", "SOURCE_DATE_EPOCH"):
            self.env.pop(name, None)

    def popen(self, *args, env=None, cwd=None, **kwargs):
        return subprocess.Popen([MOTE, *map(str, args)], env=dict(self.env, **(env or {})), cwd=cwd or self.folder, **kwargs)

    def __call__(self, *args, stdin=b"", timeout=60, **kwargs):
        """Run to the end; an object with returncode, stdout, stderr (bytes)."""
        p = self.popen(*args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)
        try:
            p.out, p.err = p.communicate(stdin, timeout)
        finally:
            p.kill()
        return p

    def ok(self, *args, **kwargs):
        p = self(*args, **kwargs)
        assert p.returncode == 0, p.err.decode()
        return p.out

    def fails(self, status, *args, **kwargs):
        """The one line it said."""
        p = self(*args, **kwargs)
        text = p.err.decode(errors="replace")
        assert p.returncode == status, (p.returncode, text)
        assert text.startswith("mote: ") and text.count("\n") == 1, text
        return text

    def build(self, *args, name="test.img", **kwargs):
        image = os.path.join(self.folder, name)
        self.ok("build", "-o", image, *args, **kwargs)
        check_image(image)
        return image

    def tree(self, image):
        """Every path in the image."""
        import json

        def paths(entries, above):
            for e in entries:
                path = above + "/" + e["name"]
                yield path, e
                yield from paths(e.get("entries", []), path)
        return dict(paths(json.loads(self.ok("image", "tree", "--json", image)), ""))


def check_image(image):
    p = subprocess.run(["e2fsck", "-fn", image], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert p.returncode == 0, p.stdout.decode()


@pytest.fixture
def mote(tmp_path):
    return Mote(str(tmp_path))


@pytest.fixture
def compile(tmp_path):
    """compile(NAME, SOURCE, FLAGS...): the path of an executable or a library made by gcc."""
    def make(name, source, *flags):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-O1", "-x", "c", "-", "-x", "none", "-o", str(path), *map(str, flags)],
                       input=source.encode(), check=True)
        return str(path)
    return make


@pytest.fixture
def hello(compile):
    return compile("hello", '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n')


@pytest.fixture(scope="session")
def stub(tmp_path_factory):
    """The stand-in kernel (stub/stub.S says what it does)."""
    folder = tmp_path_factory.mktemp("stub")
    kernel = str(folder / "kernel-x86_64.elf")
    subprocess.run(["gcc", "-m32", "-c", os.path.join(STUB, "stub.S"), "-o", str(folder / "stub.o")], check=True)
    subprocess.run(["ld", "-m", "elf_i386", "--no-warn-rwx-segments", "-T", os.path.join(STUB, "stub.ld"),
                    str(folder / "stub.o"), "-o", kernel], check=True)
    return kernel


@pytest.fixture
def stubbed(mote, stub):
    """The command with the stand-in kernel."""
    mote.env["MOTE_KERNEL"] = stub
    return mote


def need(program):
    path = shutil.which(program)
    if not path:
        pytest.skip(f"{program} is not installed")
    return path
