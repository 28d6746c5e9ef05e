#!/usr/bin/env python3
"""corpus.py PROGRAM SOURCE_DIR gives graded cases of the evidence corpus, some of each kind, to a program that takes a
request of the C ABI, and compares verdict, error class and TCB status with those that are stated. Exit 77 without a corpus."""

import base64
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

KINDS = ("tdx", "sevsnp", "nitro", "confidential_space", "tpm", "nvidia")
CASES_A_KIND = 9
STATUS = {"valid": {0}, "invalid": {1, 2}}


def read_cases(corpus, kind):
    cases = []
    for name in ("cases", "neg_cases", "synth_cases"):
        path = corpus / "open" / kind / f"{name}.json"
        cases += json.loads(path.read_text()) if path.exists() else []
    graded = [c for c in cases if not c.get("either") and c["expect"].get("verdict") in STATUS and c.get("evidence")]
    # Spread over the whole list, so that real, altered and synthetic ones are among them.
    return graded[:: max(1, len(graded) // CASES_A_KIND)][:CASES_A_KIND]


def last_certificate(pem):
    """The DER of a chain's last certificate."""
    blocks = re.findall(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", pem, re.DOTALL)
    return base64.b64decode(blocks[-1]) if blocks else b""


def root_of(case, collateral):
    """The anchor of a case; None stands for the built-in ones."""
    if "root" in collateral:
        return collateral["root"]
    if not case.get("synthetic"):
        return None
    return last_certificate(collateral["ca_chain"]) if "ca_chain" in collateral else collateral.get("jwks")


def text(data):
    return base64.b64encode(data).decode()


def request_of(corpus, kind, case):
    collateral = {k: (corpus / v).read_bytes() for k, v in (case.get("collateral") or {}).items() if v}
    request = {
        "kind": case.get("kind", kind),
        "evidence": text((corpus / case["evidence"]).read_bytes()),
        "collateral": {name: text(data) for name, data in collateral.items()},
        "time": case["time"],
    }
    if case.get("policy"):
        request["policy"] = case["policy"]
    root = root_of(case, collateral)
    if root is not None:
        request["root"] = text(root)
    return request


def difference(case, status, answer):
    """What does not agree, or None."""
    expect = case["expect"]
    if status not in STATUS[expect["verdict"]]:
        return f"expected {expect['verdict']}, got status {status}: {answer.get('message')}"
    if (answer["verdict"] == "invalid") != (expect["verdict"] == "invalid"):
        return f"status {status}, but the verdict is {answer['verdict']}"
    if expect.get("tcb_status") not in (None, answer.get("tcb_status")):
        return f"expected TCB status {expect['tcb_status']}, got {answer.get('tcb_status')}"
    if answer["error"] not in (expect.get("error"), *(expect.get("error_also") or [])):
        return f"expected error {expect.get('error')}, got {answer['error']}"
    return None


def run(program, request):
    with tempfile.NamedTemporaryFile("w") as file:
        json.dump(request, file)
        file.flush()
        done = subprocess.run([program, file.name], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, json.loads(done.stdout)


def main():
    program, source = sys.argv[1:]
    shared = pathlib.Path(os.environ.get("EML_SHARED") or pathlib.Path(source).parent / "shared")
    corpus = shared / "corpus"
    if not (corpus / "open").is_dir():
        print(f"SKIPPED: no evidence corpus at {corpus}/open")
        return 77
    failed = passed = 0
    for kind in KINDS:
        for case in read_cases(corpus, kind):
            what = difference(case, *run(program, request_of(corpus, kind, case)))
            failed, passed = (failed + 1, passed) if what else (failed, passed + 1)
            if what:
                print(f"{kind} {case['id']}: {what}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
