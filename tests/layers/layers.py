#!/usr/bin/env python3
"""layers.py ROOT checks the sources below ROOT against cmake/layers.txt and the other rules that an include line or a
word can break. It prints one line a finding, `file:line: what`, and exits 1 if there is any."""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
NOT_PRODUCT = re.compile(r"_(test|fuzz|bench)\.cc$|(_|/)(fixture|testing)\.h$|/test_\w+\.h$")
LINES_MAX = 600

# What a pure folder may not include: sockets, threads, files, clocks. A mutex is no thread: what a caller's threads enter
# may need one.
IMPURE_HEADERS = re.compile(
    r"^(thread|condition_variable|future|stop_token|semaphore|latch|barrier|fstream|filesystem|iostream"
    r"|unistd\.h|fcntl\.h|poll\.h|dirent\.h|signal\.h|pthread\.h|netdb\.h|time\.h|ctime|random|stdio\.h"
    r"|(sys|netinet|arpa|linux|net)/.*|boost/(asio|beast)(/.*|\.hpp))$"
)
IMPURE_WORDS = re.compile(
    r"\b((system|steady|high_resolution|utc)_clock::now\b|getenv\b|gettimeofday\b|clock_gettime\b|std::time\b"
    r"|std::random_device\b|std::thread\b|std::jthread\b|fopen\b|system_clock\(|system_random\()"
)
DEVICES = re.compile(r"/dev/(tdx|sev|nsm|tpm|nvidia)|/sys/kernel/config/tsm|/run/container_launcher")


def read_table(path):
    """Returns {folder: (all that it may include, is it pure)}."""
    table = {}
    for line in path.read_text().splitlines():
        rule = re.match(r"^([a-z/_]+)( pure)?:(.*)$", line)
        if rule is None:
            continue
        reach = {rule[1]}
        for dep in rule[3].split():
            reach |= table[dep][0]
        table[rule[1]] = (reach, rule[2] is not None)
    return table


def folder_of(table, path):
    """The folder of the table that rules the file `path` (relative, with /), or None."""
    parts = path.split("/")[:-1]
    for count in range(len(parts), 0, -1):
        folder = "/".join(parts[:count])
        if folder in table:
            return folder
    return None


def check_include(table, path, folder, quote, target):
    """Yields what is wrong with one include line."""
    reach, pure = table[folder]
    product = NOT_PRODUCT.search(path) is None
    if quote == '"':
        if target.startswith("tests/"):
            if product:
                yield f"{target}: only tests include tests/"
        else:
            other = folder_of(table, target)
            if other is None:
                yield f"{target}: not a path from the root of the tree"
            elif other not in reach:
                yield f"{target}: {folder} must not include {other}"
    if product and NOT_PRODUCT.search(target):
        yield f"{target}: only tests include what tests share"
    if target.startswith("openssl/") and not path.endswith("_bench.cc"):
        if folder.split("/")[0] != "crypto" and path != "net/tls.cc":
            yield f"{target}: only crypto and net/tls.cc include OpenSSL"
    if re.match(r"boost/(asio|beast)\b", target) and folder.split("/")[0] not in ("net", "server", "apps"):
        yield f"{target}: only net, server and apps see Boost.Asio"
    impure = target == "base/files.h" if quote == '"' else IMPURE_HEADERS.match(target)
    if pure and product and impure:
        yield f"{target}: {folder} is pure"


def check_file(table, root, path):
    """Yields (line number, what)."""
    text = (root / path).read_bytes()
    if not text.isascii():
        yield text[: next(i for i, b in enumerate(text) if b > 127)].count(b"\n") + 1, "not ASCII"
    lines = text.decode("utf-8", "replace").splitlines()
    if len(lines) > LINES_MAX:
        yield len(lines), f"longer than {LINES_MAX} lines"
    if path.endswith(".h") and "#pragma once" not in lines:
        yield 1, "no #pragma once"
    folder = folder_of(table, path)
    if folder is None:
        return
    product = NOT_PRODUCT.search(path) is None
    for number, line in enumerate(lines, 1):
        include = INCLUDE.match(line)
        if include is not None:
            for what in check_include(table, path, folder, include[1], include[2]):
                yield number, what
            continue
        code = line.split("//")[0] if not DEVICES.search(line) else line
        word = IMPURE_WORDS.search(code)
        if word and table[folder][1] and product:
            yield number, f"{word[0]}: {folder} is pure"
        if DEVICES.search(line) and not line.lstrip().startswith("//") and product and folder != "attester":
            yield number, "only attester opens a TEE device"


def sources(root, table):
    tops = sorted({folder.split("/")[0] for folder in table} | {"tests", "third_party"})
    for top in tops:
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".h", ".cc") and path.is_file():
                yield path.relative_to(root).as_posix()


def check_tree(root):
    table = read_table(root / "cmake" / "layers.txt")
    findings, count = [], 0
    for path in sources(root, table):
        count += 1
        findings += [f"{path}:{number}: {what}" for number, what in check_file(table, root, path)]
    return findings, count


def main():
    findings, count = check_tree(pathlib.Path(sys.argv[1]))
    for finding in findings:
        print(finding)
    print(f"{count} files, {len(findings)} findings")
    return 1 if findings or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
