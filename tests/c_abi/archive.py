#!/usr/bin/env python3
"""archive.py MAP NM ARCHIVE looks at which objects of ours the linker took from the archive for a program that only
verifies evidence, and at what these objects ask of the system: no file, socket, thread, clock, environment, random
numbers or locked memory. (OpenSSL's own objects are its own affair.)"""

import pathlib
import re
import subprocess
import sys

FORBIDDEN_OBJECTS = {"files.cc.o", "log.cc.o", "system_clock.cc.o", "secret.cc.o", "ed25519_key.cc.o", "asio.cc.o"}
FORBIDDEN_SYMBOLS = re.compile(
    r"^(open|openat|creat|fopen|stat|socket|connect|bind|listen|poll|epoll_\w+|pthread_create|clock_gettime|time"
    r"|gettimeofday|getenv|secure_getenv|getrandom|mmap|mlock|_ZNSt6thread.*|_ZNSt6chrono3_V2\d+\w*clock3nowEv)(64)?$"
)
FEWEST_OBJECTS = 40  # the kinds, the parsers, X.509: fewer means that the map was not understood


def linked_objects(map_text, archive):
    """Names of the members of `archive` in a map of lld, without those of OpenSSL."""
    return {name for name in re.findall(re.escape(archive) + r"\(([^)]+)\)", map_text) if name.endswith(".cc.o")}


def wanted_symbols(nm, archive, objects):
    """Yields (object, symbol) for each undefined symbol of `objects`."""
    lines = subprocess.run([nm, "-A", "-u", archive], check=True, capture_output=True, text=True).stdout.splitlines()
    for line in lines:
        match = re.search(r":\s*([^:\s]+\.o):\s+[Uw]\s+(\S+)$", line)
        if match and match[1] in objects:
            yield match[1], match[2].split("@")[0]


def main():
    map_path, nm, archive = sys.argv[1:]
    objects = linked_objects(pathlib.Path(map_path).read_text(), pathlib.Path(archive).name)
    symbols = list(wanted_symbols(nm, archive, objects))
    findings = [f"{name} is linked" for name in sorted(objects & FORBIDDEN_OBJECTS)]
    findings += sorted({f"{name} wants {symbol}" for name, symbol in symbols if FORBIDDEN_SYMBOLS.match(symbol)})
    if len(objects) < FEWEST_OBJECTS or not any(symbol.startswith("EVP_") for _, symbol in symbols):
        findings.append(f"only {len(objects)} objects and {len(symbols)} symbols were found")
    print("\n".join(findings))
    print(f"{len(objects)} objects, {len(symbols)} symbols, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
