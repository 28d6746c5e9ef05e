"""evidence_requests reads the shared evidence corpus and makes of a case what the C ABI is asked
(abi/ephemeralml_evidence.h)."""

import base64
import json
import os
import pathlib
import re

KINDS = ("tdx", "sevsnp", "nitro", "confidential_space", "tpm", "nvidia")
FILES = ("cases", "neg_cases", "synth_cases")


def corpus_of(source):
    """The corpus's folder for a source tree, or None if it is not there."""
    shared = pathlib.Path(os.environ.get("EML_SHARED") or pathlib.Path(source).resolve().parent / "shared")
    return shared / "corpus" if (shared / "corpus" / "open").is_dir() else None


def graded_cases(corpus, kind):
    """All cases of a kind whose verdict is to be compared."""
    cases = []
    for name in FILES:
        path = corpus / "open" / kind / f"{name}.json"
        cases += json.loads(path.read_text()) if path.exists() else []
    return [c for c in cases if not c.get("either") and c["expect"].get("verdict") in ("valid", "invalid")]


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
