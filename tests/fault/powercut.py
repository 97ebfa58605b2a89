"""Power cuts at 5,000 points of a random load, on the host: tests/unit/ext4_powercut.c says what must hold."""
import os
import subprocess

from case import BUILD, Case, Failure, tail


def sweep(case, seed):
    with open(case.path("console"), "wb") as out:
        status = subprocess.run([os.path.join(BUILD, "unit/ext4_powercut"), "5000", str(seed)], stdout=out,
                                stderr=out).returncode
    if status:
        raise Failure(f"exit status {status}", tail(case.path("console"), 60))


def cases(name):
    return [Case(f"{name}/seed-{seed}", lambda case, seed=seed: sweep(case, seed), 3600, slow=True, needs=("unit",))
            for seed in (1, 2)]
