#!/usr/bin/env python3
"""corpus.py PROGRAM SOURCE_DIR gives graded cases of the evidence corpus, some of each kind, to a program that takes a
request of the C ABI, and compares verdict, error class and TCB status with those that are stated. Exit 77 without a
corpus."""

import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from evidence_requests import KINDS, corpus_of, graded_cases, request_of  # noqa: E402

CASES_A_KIND = 9
STATUS = {"valid": {0}, "invalid": {1, 2}}


def read_cases(corpus, kind):
    """Some of a kind, spread over the whole list: real, altered and synthetic ones are among them."""
    graded = [c for c in graded_cases(corpus, kind) if c.get("evidence")]
    return graded[:: max(1, len(graded) // CASES_A_KIND)][:CASES_A_KIND]


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
    corpus = corpus_of(source)
    if corpus is None:
        print("SKIPPED: no evidence corpus: EML_SHARED is not set, nor is there a folder `shared` beside the tree")
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
