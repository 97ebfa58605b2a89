"""tools/check-layers fails on an include that goes upward, and says which."""
import os
import shutil
import subprocess

from case import ROOT, Case, Failure

PLANTED = '#include "kernel/dev/virtio.h"\n'


def planted_include(case):
    for folder in ("abi", "kernel", "cli", "tools"):
        shutil.copytree(os.path.join(ROOT, folder), case.path(folder))
    with open(case.path("kernel/fs/vfs.h"), "a") as f:
        f.write(PLANTED)
    run = subprocess.run([case.path("tools/check-layers")], capture_output=True, text=True)
    with open(case.path("console"), "w") as f:
        f.write(run.stdout + run.stderr)
    if run.returncode == 0:
        raise Failure("the planted include passed", run.stdout)
    if "kernel/fs may not include kernel/dev" not in run.stdout:
        raise Failure("the planted include is not named", run.stdout)


def cases(name):
    return [Case(f"{name}/planted-include", planted_include, needs=())]
