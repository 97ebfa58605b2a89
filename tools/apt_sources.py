#!/usr/bin/env python3
"""This machine's own apt sources: where tools/deps and bench/setup learn the mirror from.

As a program: a sources list for RELEASE with its updates and security, on those mirrors.
"""
import glob
import os
import re
import sys


def entries():
    """(uri, suite, key file or '') of every enabled binary source of this machine."""
    for path in ["/etc/apt/sources.list", *glob.glob("/etc/apt/sources.list.d/*.list")]:
        if not os.path.exists(path):
            continue
        with open(path) as f:
            for line in f:
                m = re.match(r"deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)", line)
                if m:
                    key = re.search(r"signed-by=(\S+)", m.group(1) or "")
                    yield m.group(2), m.group(3), key.group(1) if key else ""
    for path in glob.glob("/etc/apt/sources.list.d/*.sources"):
        with open(path) as f:
            stanzas = f.read().split("\n\n")
        for stanza in stanzas:
            fields = {}
            for line in stanza.splitlines():
                if line[:1] not in ("#", " ", "\t", ""):
                    name, _, value = line.partition(":")
                    fields[name.strip().lower()] = value.strip()
            if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").lower() != "no":
                key = fields.get("signed-by", "")
                for uri in fields.get("uris", "").split():
                    for suite in fields.get("suites", "").split():
                        yield uri, suite, key if key.startswith("/") else ""


def main():
    release = sys.argv[1]
    found = [e for e in entries() if e[1] in (release, release + "-updates", release + "-security")]
    if not any(suite == release for _, suite, _ in found):
        sys.exit(f"no apt source for {release} on this machine")
    for uri, suite, key in dict.fromkeys(found):
        print(f"deb {'[signed-by=' + key + '] ' if key else ''}{uri} {suite} main")


if __name__ == "__main__":
    main()
