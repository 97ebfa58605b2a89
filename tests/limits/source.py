"""The source keeps to STYLE.md: lengths of functions and files, conditionals, includes."""
import os
import re
import statistics
import subprocess

from case import ROOT, Case, Failure

FOLDERS = ("kernel", "cli", "monitor")
# Longer than 100 lines, and why that is right.
LONG_FUNCTIONS = {}
# Longer than their kind may be: how many lines, and why that is right.
LONG_FILES = {}


def sources(*suffixes):
    """Files under the rule, by name from the root."""
    out = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *FOLDERS], cwd=ROOT,
                         capture_output=True, text=True).stdout
    return [name for name in out.splitlines() if name.endswith(suffixes) and os.path.exists(os.path.join(ROOT, name))]


def lines(name):
    with open(os.path.join(ROOT, name), errors="replace") as f:
        return f.read().splitlines()


def functions():
    """(lines of the body, file, name) of every function: its braces stand in the first column."""
    for name in sources(".c"):
        text, begin = lines(name), None
        for n, line in enumerate(text):
            if line == "{":
                begin = n
            elif line.startswith("}") and begin is not None:
                head = " ".join(text[max(0, begin - 4):begin])
                called = re.findall(r"(\w+)\s*\([^()]*(?:\([^()]*\)[^()]*)*\)\s*$", head)
                if line == "}":
                    yield n - begin - 1, name, called[-1] if called else "?"
                begin = None


def check(case, facts, wrong):
    with open(case.path("console"), "w") as f:
        f.write("\n".join(facts + wrong) + "\n")
    if wrong:
        raise Failure(wrong[0] if len(wrong) == 1 else f"{len(wrong)} over the limit", "\n".join(facts + wrong))


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0


def function_length(case):
    found = sorted(functions(), reverse=True)
    lengths = [n for n, _, _ in found]
    wrong = [f"{file}: {name} has {n} lines (100 at most; state machines and tables are listed here)"
             for n, file, name in found if n > 100 and name not in LONG_FUNCTIONS]
    if percentile(lengths, 0.95) > 55:
        wrong.append(f"one function in twenty is longer than {percentile(lengths, 0.95)} lines (55)")
    longest = [f"{n:4} {file}: {name}" for n, file, name in found[:5]]
    check(case, [f"{len(found)} functions, median {statistics.median(lengths or [0])}, "
                 f"95 % within {percentile(lengths, 0.95)} lines; the longest:", *longest], wrong)


def file_length(case):
    wrong, facts = [], []
    for suffix, end in ((".c", 1000), (".h", 300)):
        lengths = {name: len(lines(name)) for name in sources(suffix)}
        wrong += [f"{name}: {n} lines ({end} at most)" for name, n in lengths.items() if n > LONG_FILES.get(name, end)]
        facts.append(f"{len(lengths)} {suffix} files, median {statistics.median(lengths.values() or [0])}, "
                     f"longest {max(lengths.values(), default=0)}, {sum(lengths.values())} lines in all")
        if suffix == ".c" and percentile(list(lengths.values()), 0.95) > 700:
            wrong.append("one file in twenty is longer than 700 lines")
    check(case, facts, wrong)


def conditionals(case):
    """Preprocessor conditionals: at most 2 in a thousand lines, none on an architecture in portable code."""
    total, wrong, count = 0, [], 0
    for name in sources(".c", ".h"):
        text = lines(name)
        total += len(text)
        for n, line in enumerate(text, 1):
            m = re.match(r"\s*#\s*(if|ifdef|ifndef|elif)\b(.*)", line)
            if not m:
                continue
            count += 1
            if re.search(r"__x86_64__|__aarch64__|__i386__|ARCH_|CONFIG_ARCH", m.group(2)) and "/arch/" not in name:
                wrong.append(f"{name}:{n}: a condition on the architecture in portable code")
    if total and count * 1000 / total > 2:
        wrong.append(f"{count * 1000 / total:.1f} conditionals in a thousand lines (2)")
    check(case, [f"{count} conditionals in {total} lines"], wrong)


def includes(case):
    counts = [sum(line.startswith("#include") for line in lines(name)) for name in sources(".c")]
    median = statistics.median(counts or [0])
    check(case, [f"median {median} includes in a .c file"], [f"median {median} (8)"] if median > 8 else [])


def folders(case):
    found = sorted({name.split("/")[1] for name in sources(".c", ".h") if name.startswith("kernel/") and name.count("/") > 1})
    check(case, [f"{len(found)} folders in kernel/: {' '.join(found)}"], ["more than 12"] if len(found) > 12 else [])


def cases(name):
    return [Case(f"limits/{n}", f, 30, needs=()) for n, f in (
        ("function-length", function_length), ("file-length", file_length), ("conditionals", conditionals),
        ("includes", includes), ("folders", folders))]
