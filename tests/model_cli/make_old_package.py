#!/usr/bin/env python3
"""make_old_package.py DIR writes a tiny package in the first system's form (docs/spec/package.md, 6), with keys that are
public: for the tests of `model import`. Needs the Python package `cryptography`."""

import hashlib
import json
import pathlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

DEK = bytes(range(32))
NONCE = bytes(range(12))


def main(directory):
    directory.mkdir()
    publisher = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"old publisher of the tests").digest())
    config = b'{"hidden_size":4}\n'
    tokenizer = b'{"version":"1.0"}\n'
    weights = b"the old weights\n"
    manifest = {
        "config_hash": list(hashlib.sha256(config).digest()),
        "created_at": "2025-03-01T00:00:00Z",
        "gcs_uris": {"weights": "gs://bucket/model.safetensors.enc"},
        "hash_algorithm": "sha256",
        "key_id": "projects/p/locations/l/keyRings/r/cryptoKeys/k",
        "model_hash": list(hashlib.sha256(weights).digest()),
        "model_id": "minilm",
        "version": "0.9",
    }
    message = json.dumps(manifest, separators=(",", ":"), sort_keys=True).encode()
    manifest["signature"] = list(publisher.sign(message))
    files = {
        "config.json": config,
        "tokenizer.json": tokenizer,
        "model.safetensors.enc": NONCE + ChaCha20Poly1305(DEK).encrypt(NONCE, weights, None),
        "wrapped_dek.bin": DEK,
        "manifest.json": json.dumps(manifest, indent=1).encode(),
    }
    for name, content in files.items():
        (directory / name).write_bytes(content)
    public = publisher.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    (directory.parent / "old_publisher.hex").write_text(public + "\n")
    (directory.parent / "old_dek.hex").write_text(DEK.hex() + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
