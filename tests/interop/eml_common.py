"""What several readings need: deterministic CBOR, strict JSON and its canonical form, Ed25519, COSE_Sign1."""

import io
import json

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from eml_channel import Refused, need


def encode(value):
    """RFC 8949, 4.2.1: shortest forms, map keys sorted by their encoding, bytewise."""
    if value is None or isinstance(value, bool):
        return cbor2.dumps(value)
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        data = value.encode()
        return _head(3, len(data)) + data
    if isinstance(value, (list, tuple)):
        return _head(4, len(value)) + b"".join(map(encode, value))
    if isinstance(value, dict):
        pairs = sorted((encode(key), encode(item)) for key, item in value.items())
        return _head(5, len(value)) + b"".join(key + item for key, item in pairs)
    raise Refused("CBOR: a type that does not belong here")


def _head(major, argument):
    for size, marker in ((0, None), (1, 24), (2, 25), (4, 26), (8, 27)):
        if size == 0 and argument < 24:
            return bytes([major << 5 | argument])
        if size and argument < 1 << 8 * size:
            return bytes([major << 5 | marker]) + argument.to_bytes(size, "big")
    raise Refused("CBOR: an integer that is too large")


def decode(data):
    """One deterministic item and nothing after it."""
    stream = io.BytesIO(data)
    try:
        value = cbor2.CBORDecoder(stream).decode()
    except Exception as error:
        raise Refused("CBOR: malformed") from error
    need(stream.tell() == len(data) or stream.read() == b"", "CBOR: bytes after the item")
    need(encode(value) == data, "CBOR: not deterministic")
    return value


def closed(value, required, optional=()):
    need(isinstance(value, dict), "a map")
    need(set(required) <= set(value) <= set(required) | set(optional), "a closed map has other keys")
    return value


def strict_json(data):
    def pairs(items):
        out = dict(items)
        need(len(out) == len(items), "JSON: a name occurs twice")
        return out

    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=pairs, parse_constant=lambda _: need(False, "JSON: not a number"))
    except ValueError as error:
        raise Refused("JSON: malformed") from error


def canonical(value):
    """JCS for what these documents hold: ASCII names, texts and integers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


# Points of small order, with their encodings that are not canonical: no signature under them means anything.
SMALL_ORDER = {
    bytes.fromhex(text)
    for text in (
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    )
}
ORDER = 2**252 + 27742317777372353535851937790883648493


def verify_signature(key, message, signature, rule):
    need(len(key) == 32 and key not in SMALL_ORDER, rule + ": key")
    need(len(signature) == 64 and signature[:32] not in SMALL_ORDER, rule + ": R")
    need(int.from_bytes(signature[32:], "little") < ORDER, rule + ": S")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise Refused(rule) from error


class Sign1:
    """A COSE_Sign1 as these pages write it: tag 18, deterministic, no unprotected header."""

    def __init__(self, data, rule):
        need(len(data) <= 65536 and data[:2] == b"\xd2\x84", rule + ": form")
        parts = decode(data[1:])
        need(isinstance(parts, list) and len(parts) == 4, rule + ": form")
        self.protected, unprotected, self.payload, self.signature = parts
        need(unprotected == {}, rule + ": unprotected header")
        need(all(isinstance(part, bytes) for part in (self.protected, self.payload, self.signature)), rule + ": form")
        self.header = decode(self.protected)
        self.rule = rule

    def verify(self, key, header):
        need(self.header == header, self.rule + ": protected header")
        message = encode(["Signature1", self.protected, b"", self.payload])
        verify_signature(key, message, self.signature, self.rule + ": signature")
        return decode(self.payload)
