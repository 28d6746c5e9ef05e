#!/usr/bin/env python3
"""Gives layers.py one bad file at a time and expects exactly that to be found, and good files and expects nothing."""

import pathlib
import sys
import tempfile

from layers import LINES_MAX, check_tree

TABLE = pathlib.Path(__file__).resolve().parents[2] / "cmake" / "layers.txt"

BAD = [
    ("base/a.cc", '#include "encoding/cbor.h"', "base must not include encoding"),
    ("encoding/a.h", '#pragma once\n#include "crypto/hash.h"', "encoding must not include crypto"),
    ("channel/a.cc", '#include "audit/dossier.h"', "channel must not include audit"),
    ("client/a.cc", '#include "net/tls.h"', "client must not include net"),
    ("client/a.cc", '#include "attester/local.h"', "client must not include attester"),
    ("client/a_test.cc", '#include "engine/model.h"', "client must not include engine"),
    ("engine/kernels/a.cc", '#include "api/errors.h"', "engine/kernels must not include api"),
    ("crypto/a.cc", '#include "crypto/cose/sign1.h"', "crypto must not include crypto/cose"),
    ("server/a.cc", '#include "apps/cli.h"', "server must not include apps"),
    ("base/a.cc", '#include "tests/support/shared.h"', "only tests include tests/"),
    ("package/a.cc", '#include "package/testing.h"', "only tests include what tests share"),
    ("base/a.cc", '#include "bytes.h"', "not a path from the root"),
    ("receipt/a.cc", "#include <openssl/evp.h>", "only crypto and net/tls.cc include OpenSSL"),
    ("net/http.cc", "#include <openssl/ssl.h>", "only crypto and net/tls.cc include OpenSSL"),
    ("keys/a.cc", "#include <boost/asio/io_context.hpp>", "only net, server and apps see Boost.Asio"),
    ("keys/a.cc", "#include <boost/asio.hpp>", "only net, server and apps see Boost.Asio"),
    ("api/a.cc", "#include <thread>", "api is pure"),
    ("encoding/a.cc", "#include <fstream>", "encoding is pure"),
    ("attestation/a.cc", "#include <sys/socket.h>", "attestation is pure"),
    ("package/a.cc", '#include "base/files.h"', "package is pure"),
    ("receipt/a.cc", "auto t = std::chrono::system_clock::now();", "receipt is pure"),
    ("receipt/a.cc", "issue(system_clock(), x);", "receipt is pure"),
    ("crypto/a.cc", "hpke_seal(system_random(), x);", "crypto is pure"),
    ("audit/a.cc", 'const char* s = getenv("X");', "audit is pure"),
    ("server/a.cc", 'open("/dev/tdx_guest");', "only attester opens a TEE device"),
    ("base/a.cc", "// caf\u00e9", "not ASCII"),
    ("base/a.h", "int x;", "no #pragma once"),
    ("base/a.cc", "\n" * (LINES_MAX + 1), "longer than"),
]

GOOD = [
    ("base/a.cc", "#include <thread>\n#include <fstream>"),
    ("net/tls.cc", "#include <openssl/ssl.h>\n#include <boost/asio/io_context.hpp>"),
    ("crypto/cose/a.cc", '#include "crypto/hash.h"\n#include <openssl/evp.h>'),
    ("audit/a.cc", '#include "attestation/policy.h"\n#include "encoding/cbor.h"\n#include "crypto/cose/sign1.h"'),
    ("apps/infer/main.cc", '#include "client/client.h"\n#include "server/server.h"\n#include "apps/cli.h"'),
    ("receipt/a_test.cc", '#include "tests/support/shared.h"\n#include <fstream>'),
    ("package/testing.h", '#pragma once\n#include "tests/support/shared.h"\n#include <thread>'),
    ("package/a_test.cc", '#include "package/testing.h"'),
    ("receipt/a.cc", "// std::time is not called here: the clock is a parameter"),
    ("receipt/a.cc", '#include "base/clock.h"\nint f(const Clock& clock);'),
    ("attester/a.cc", 'open("/dev/tdx_guest");'),
]


def findings_for(path, text):
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        (root / "cmake").mkdir()
        (root / "cmake" / "layers.txt").write_bytes(TABLE.read_bytes())
        (root / path).parent.mkdir(parents=True)
        (root / path).write_text(text + "\n", encoding="utf-8")
        return check_tree(root)[0]


def main():
    wrong = 0
    for path, text, what in BAD:
        found = findings_for(path, text)
        if len(found) != 1 or what not in found[0]:
            print(f"{path} with {text[:60]!r}: expected one finding with {what!r}, got {found}")
            wrong += 1
    for path, text in GOOD:
        found = findings_for(path, text)
        if found:
            print(f"{path} with {text[:60]!r}: expected no finding, got {found}")
            wrong += 1
    print(f"{len(BAD) + len(GOOD)} cases, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
