"""Every system call that is handled has a guest test: its name, or libc's name for it, stands in one."""
import glob
import os
import re

from case import ROOT, TESTS, Case, Failure

# libc's function, where it is called otherwise
LIBC = {
    "brk": "sbrk", "clone": "pthread_create", "eventfd2": "eventfd", "exit_group": "exit", "fadvise64": "posix_fadvise",
    "getdents64": "readdir", "newfstatat": "fstatat", "pread64": "pread", "prlimit64": "prlimit", "pselect6": "pselect",
    "pwrite64": "pwrite", "recvfrom": "recv", "restart_syscall": "nanosleep", "rseq": "pthread_create",
    "rt_sigaction": "sigaction", "rt_sigpending": "sigpending", "rt_sigprocmask": "sigprocmask",
    "rt_sigqueueinfo": "sigqueue", "rt_sigreturn": "sigaction", "rt_sigsuspend": "sigsuspend",
    "rt_sigtimedwait": "sigtimedwait", "rt_tgsigqueueinfo": "pthread_sigqueue", "sendto": "send", "signalfd4": "signalfd",
    "syslog": "klogctl", "vfork": "posix_spawn", "wait4": "wait",
}


def handled():
    with open(os.path.join(ROOT, "kernel", "syscall", "table.def")) as f:
        return re.findall(r"^CALL\((\w+),", f.read(), re.M)


def syscalls(case):
    text = ""
    for path in glob.glob(os.path.join(TESTS, "guest", "**", "*.[ch]*"), recursive=True):
        with open(path) as f:
            text += f.read()
    words = set(re.findall(r"\w+", text))
    calls = handled()
    without = [c for c in calls if not any(w in words for w in (c, LIBC.get(c), "SYS_" + c))]
    with open(case.path("console"), "w") as f:
        f.write(f"{len(calls)} calls handled, {len(without)} without a guest test: {' '.join(without)}\n")
    if without:
        raise Failure(f"{len(without)} of {len(calls)} calls have no guest test", " ".join(without))


def cases(name):
    return [Case(name, syscalls, 30, needs=())]
