#!/usr/bin/env python3
"""make.py > vectors.json: bindings, local evidence, bundles and a signed policy, written from docs/spec/evidence.md and
docs/spec/policy.md alone, with its own CBOR and JCS and the `cryptography` package. It shares no code with the program."""

import hashlib
import json
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW = 1764072000  # 2025-11-25T12:00:00Z


def head(major, n):
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if n < 24:
            return bytes([major << 5 | n])
        if n < 1 << 8 * size:
            return bytes([major << 5 | code]) + n.to_bytes(size, "big")
    raise ValueError(n)


def cbor(value):
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    if isinstance(value, dict):
        items = sorted((cbor(k), cbor(v)) for k, v in value.items())
        items.sort(key=lambda kv: (len(kv[0]), kv[0]))
        return head(5, len(items)) + b"".join(k + v for k, v in items)
    raise TypeError(value)


def sha256(data):
    return hashlib.sha256(data).digest()


def label(text):
    return text.encode() + b"\0"


def jcs(value):  # enough of RFC 8785 for ASCII names and integers
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def key(name):
    return Ed25519PrivateKey.from_private_bytes(sha256(name.encode()))


def public(private):
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def sign1(private, protected, payload):
    protected = cbor(protected)
    to_sign = cbor(["Signature1", protected, b"", payload])
    return head(6, 18) + cbor([protected, {}, payload, private.sign(to_sign)])


ROOT, RECEIPT, CHANNEL, OPERATOR, PUBLISHER, OWNER = map(
    key, ["vector root", "vector receipt", "vector channel", "vector operator", "vector publisher", "vector owner"]
)
BINARY = hashlib.sha384(b"binary").digest()
MODEL = sha256(b"model")
TYP = "application/vnd.ephemeralml.local-evidence+cbor"

configuration = jcs(
    {
        "schema": "eml-configuration/1",
        "issuer": "inference.example",
        "operator_key": public(OPERATOR).hex(),
        "publishers": [public(PUBLISHER).hex()],
        "minimum_serials": {"all-minilm-l6-v2": 1},
        "numerics": "fp32",
        "log_level": "info",
        "limits": {"request_bytes_max": 4194304, "streams_max": 64},
    }
)
common = {
    1: 1,
    3: bytes(range(16)),
    4: NOW - 100,
    5: NOW + 3500,
    6: sha256(configuration),
    7: [MODEL],
}
serve = cbor({**common, 2: 1, 8: public(RECEIPT), 9: public(CHANNEL)})
fresh = cbor({**common, 2: 1, 8: public(RECEIPT), 9: public(CHANNEL), 12: sha256(b"challenge")})
release = cbor({**common, 2: 2, 10: bytes(range(32)), 12: sha256(b"nonce")})
manifest = (
    "fake-manifest|all-minilm-l6-v2|1|3|" + MODEL.hex() + "|000102030405060708090a0b0c0d0e0f|" + public(PUBLISHER).hex()
).encode()
manifest += b"|" + sha256(manifest).hex().encode()


def digest(purpose, binding):
    return sha256(label(f"eml {purpose} binding v1") + binding)


def evidence(purpose, binding):
    payload = cbor({1: digest(purpose, binding), 2: BINARY, 3: public(ROOT)})
    return sign1(ROOT, {1: -8, 16: TYP}, payload)


def bundle(purpose, binding):
    return cbor({1: "local", 2: evidence(purpose, binding), 3: binding, 6: configuration, 7: [manifest]})


entry = {
    "name": "evaluation-on-my-machine",
    "kind": "local",
    "evaluation": {"require": "acceptable"},
    "roots": {"require": [public(ROOT).hex()]},
    "measurements": {"binary": {"require": BINARY.hex()}},
    "configuration": {"require": sha256(configuration).hex()},
    "platform_identity": {"ignore": "software evidence names no machine; its root is pinned"},
    "operator_key": {"require": public(OPERATOR).hex()},
    "tcb_floor": {"ignore": "software evidence has no security version"},
    "publisher": {"require": public(PUBLISHER).hex()},
    "model": {"require": {"serials": {"all-minilm-l6-v2": 3}}},
    "not_before": {"require": "2025-11-25T00:00:00Z"},
    "not_after": {"require": "2025-12-25T00:00:00Z"},
    "approved_by": "A. Person",
}
policy = {
    "schema": "eml-policy/1",
    "serial": 1,
    "name": "evaluation on my machine",
    "fresh_evidence": {"ignore": "an epoch's evidence is enough: it is at most an hour old"},
    "entries": [entry],
}
signature = OWNER.sign(label("eml policy v1") + jcs(policy))
signed = {**policy, "signatures": [{"key": public(OWNER).hex(), "sig": signature.hex()}]}


def case(purpose, binding, challenge):
    return {
        "purpose": purpose,
        "challenge": challenge,
        "binding": binding.hex(),
        "digest": digest(purpose, binding).hex(),
        "evidence": evidence(purpose, binding).hex(),
        "bundle": bundle(purpose, binding).hex(),
    }


json.dump(
    {
        "time": NOW,
        "owner": public(OWNER).hex(),
        "receipt_key": public(RECEIPT).hex(),
        "channel_key": public(CHANNEL).hex(),
        "release_key": bytes(range(32)).hex(),
        "configuration": configuration.decode(),
        "policy": json.dumps(signed),
        "cases": [
            case("serve", serve, None),
            case("serve", fresh, sha256(b"challenge").hex()),
            case("release", release, sha256(b"nonce").hex()),
        ],
    },
    sys.stdout,
    indent=1,
)
print()
