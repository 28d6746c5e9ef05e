"""The channel of docs/spec/channel.md, read a second time: pyhpke, cryptography and cbor2 instead of the C++ code."""

import hashlib
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from pyhpke import AEADId, CipherSuite, KDFId, KEMId

REFUSE, CLIENT_HELLO, SERVER_HELLO, CLIENT_FINISH, RECORD = range(5)
SETTINGS, DATA, RESET, STATEMENT, GOAWAY, PING, CLOSE = range(1, 8)
KEM_X25519 = 0x0020
SUITE = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.CHACHA20_POLY1305)


class Refused(Exception):
    """Something is not as the specification says; the text names the rule."""


def need(condition, rule):
    if not condition:
        raise Refused(rule)


def label(text):
    return text.encode("ascii") + b"\0"


def sha256(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


def expand(secret, text, size):
    return HKDFExpand(algorithm=hashes.SHA256(), length=size, info=label(text)).derive(secret)


# Section 1: frames.


def frame(kind, body):
    return struct.pack(">IB", len(body), kind) + body


class Reader:
    """Reads exactly what is asked for."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        need(self.at + size <= len(self.data), "a message is too short")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def end(self):
        need(self.at == len(self.data), "a message is too long")


# Section 2: handshake.


def client_hello(random32, kem_ids=(KEM_X25519,)):
    ids = b"".join(struct.pack(">H", kem) for kem in kem_ids)
    return frame(CLIENT_HELLO, struct.pack(">H", 1) + random32 + bytes([len(kem_ids)]) + ids)


def server_hello(random32, public_key, bundle, sign, hello):
    """`sign` signs bytes; the frame as the server would send it in answer to the frame `hello`."""
    body = struct.pack(">HH", 1, KEM_X25519) + random32 + struct.pack(">H", len(public_key)) + public_key
    body += struct.pack(">I", len(bundle)) + bundle
    head = struct.pack(">IB", len(body) + 64, SERVER_HELLO)
    return head + body + sign(label("eml server hello v1") + sha256(hello, head + body))


def parse_server_hello(body):
    """Step 1 of 2.3: KEM public key, bundle, signature."""
    read = Reader(body)
    need(read.number(2) == 1, "2.3 step 1: version")
    need(read.number(2) == KEM_X25519, "2.3 step 1: KEM id was not offered")
    read.take(32)
    public_key = read.take(read.number(2))
    need(len(public_key) == 32, "2.3 step 1: size of the KEM public key")
    bundle = read.take(read.number(4))
    signature = read.take(64)
    read.end()
    return public_key, bundle, signature


def signed_hello(hello, answer):
    return label("eml server hello v1") + sha256(hello, answer[:-64])


def channel_info(hello, answer):
    return label("eml channel v1") + sha256(hello, answer)


# Section 3: keys.


class Direction:
    def __init__(self, secret):
        self.secret, self.generation, self.sequence = secret, 0, 0
        self.derive()

    def derive(self):
        self.aead = ChaCha20Poly1305(expand(self.secret, "eml key v1", 32))
        self.iv = int.from_bytes(expand(self.secret, "eml iv v1", 12), "big")

    def next(self):
        need(self.sequence < 1 << 48, "3: the channel ends at 2^48")
        if self.sequence >> 16 != self.generation:
            self.secret = expand(self.secret, "eml next v1", 32)
            self.generation += 1
            self.derive()
        nonce = (self.iv ^ self.sequence).to_bytes(12, "big")
        self.sequence += 1
        return self.aead, nonce


class Keys:
    def __init__(self, context):
        self.c2s = Direction(context.export(label("eml c2s v1"), 32))
        self.s2c = Direction(context.export(label("eml s2c v1"), 32))
        self.channel_id = context.export(label("eml channel id v1"), 32)


# Section 4: records.


def padme(n):
    exponent = n.bit_length() - 1
    bits = exponent - (exponent.bit_length() - 1) - 1
    mask = (1 << bits) - 1 if bits > 0 else 0
    return (n + mask) & ~mask


def seal_record(direction, kind, flags, stream, payload):
    plain = struct.pack(">BBII", kind, flags, stream, len(payload)) + payload
    plain = plain.ljust(max(256, padme(len(plain))), b"\0")
    head = struct.pack(">IB", len(plain) + 16, RECORD)
    aead, nonce = direction.next()
    return head + aead.encrypt(nonce, plain, head)


def open_record(direction, whole):
    head, body = whole[:5], whole[5:]
    aead, nonce = direction.next()
    plain = aead.decrypt(nonce, body, head)
    kind, flags, stream, size = struct.unpack(">BBII", plain[:10])
    need(SETTINGS <= kind <= CLOSE, "4 step 3: kind")
    need(flags & ~(1 if kind in (DATA, STATEMENT, PING) else 0) == 0, "4 step 3: flags")
    need(size <= len(plain) - 10, "4 step 3: size")
    need(not any(plain[10 + size :]), "4 step 3: padding")
    return kind, flags, stream, plain[10 : 10 + size]
