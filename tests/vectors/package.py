"""Writes package.json: vectors of docs/spec/package.md by an implementation that shares nothing with ours.

Run with the packages of tests/judges/requirements-interop.txt (cryptography, pyhpke):
    python package.py > package.json
"""
import hashlib
import hmac
import json
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pyhpke import AEADId, CipherSuite, KDFId, KEMId

SEGMENT = 1048576
DEK = bytes(range(32))
PACKAGE_ID = bytes(range(0x40, 0x50))
SALT = bytes(range(0x80, 0xA0))


def extract(salt, key):
    return hmac.new(salt, key, hashlib.sha256).digest()


def expand(prk, info):
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()


def encrypt(path, plaintext):
    ctx = PACKAGE_ID + struct.pack(">H", len(path)) + path + struct.pack(">Q", len(plaintext))
    prk = extract(SALT, DEK)
    key = ChaCha20Poly1305(expand(prk, b"eml file key v1\0" + ctx))
    out = b"EMLSTRM1" + struct.pack(">II", SEGMENT, 0) + PACKAGE_ID + SALT + expand(prk, b"eml file check v1\0" + ctx)
    count = max(1, -(-len(plaintext) // SEGMENT))
    for i in range(count):
        nonce = bytes(7) + struct.pack(">IB", i, i == count - 1)
        out += key.encrypt(nonce, plaintext[i * SEGMENT:(i + 1) * SEGMENT], None)
    return out


def pattern(size):
    return bytes((i * 7 + i // 251) & 255 for i in range(size))


def files():
    out = []
    for path, size in [("model.safetensors", 14), ("empty.bin", 0), ("one.bin", SEGMENT), ("more.bin", 2 * SEGMENT + 5)]:
        plaintext = pattern(size)
        sealed = encrypt(path.encode(), plaintext)
        out.append({"path": path, "plaintext_size": size, "plaintext_sha256": hashlib.sha256(plaintext).hexdigest(),
                    "file": sealed.hex() if size < 100 else None, "file_sha256": hashlib.sha256(sealed).hexdigest()})
    return {"dek": DEK.hex(), "package_id": PACKAGE_ID.hex(), "salt": SALT.hex(), "files": out}


def wrapped():
    suite = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.CHACHA20_POLY1305)
    ikm = bytes(range(1, 33))
    recipient = suite.kem.derive_key_pair(ikm)
    key_id = "x25519:" + recipient.public_key.to_public_bytes().hex()
    enc, sender = suite.create_sender_context(recipient.public_key, info=b"eml dek v1\0" + PACKAGE_ID + key_id.encode(),
                                              eks=suite.kem.derive_key_pair(bytes(range(100, 132))))
    return {"ikm": ikm.hex(), "key_id": key_id, "package_id": PACKAGE_ID.hex(), "dek": DEK.hex(),
            "wrapped": (b"EMLWDEK1" + enc + sender.seal(DEK, b"")).hex()}


def jcs(value):
    # Enough for manifests: their texts are ASCII and their numbers are integers.
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def manifest():
    def file(path, role, content):
        return {"path": path, "role": role, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    key = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
    document = {
        "schema": "eml-manifest/1",
        "model": {"id": "all-minilm-l6-v2", "version": "1.0.0", "serial": 7,
                  "files": [file("config.json", "config", b"{}"), file("model.safetensors", "weights", b"hello"),
                            file("tokenizer.json", "tokenizer", b"[]")]},
        "package": {"id": PACKAGE_ID.hex(), "key_id": "x25519:" + "00" * 32, "encrypted": ["model.safetensors"],
                    "created": "2026-11-25T13:08:00Z"},
    }
    signature = key.sign(b"eml manifest v1\0" + jcs(document)).hex()
    public_key = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    document["signatures"] = [{"key": public_key, "sig": signature}]
    return {"manifest": json.dumps(document), "publisher": public_key,
            "model_hash": hashlib.sha256(jcs(document["model"])).hexdigest()}


print(json.dumps({"encrypted": files(), "wrapped_dek": wrapped(), "manifest": manifest()}, indent=1))
