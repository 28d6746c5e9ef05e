"""A client that does what no honest one does. It has the cryptography of docs/spec/channel.md in plain Python, verifies
nothing, and lets a test say each byte and each record itself."""

import hashlib
import hmac
import json
import os
import socket
import struct

REFUSE, CLIENT_HELLO, SERVER_HELLO, CLIENT_FINISH, RECORD = range(5)
SETTINGS, DATA, RESET, STATEMENT, GOAWAY, PING, CLOSE = range(1, 8)


def frame(kind, body):
    return struct.pack(">IB", len(body), kind) + body


def client_hello():
    return frame(CLIENT_HELLO, struct.pack(">H", 1) + os.urandom(32) + b"\1" + struct.pack(">H", 0x20))


def read_exactly(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def read_frame(connection):
    head = read_exactly(connection, 5)
    return head[4], head + read_exactly(connection, struct.unpack(">I", head[:4])[0])


class RawChannel:
    """A channel whose keys stand. say() seals one record; hear() opens one."""

    def __init__(self, address, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(120)
        self.newest = 0
        try:
            self.socket.connect(address)
            self._shake_hands()
        except BaseException:
            self.socket.close()
            raise

    def _shake_hands(self):
        hello = client_hello()
        self.socket.sendall(hello)
        kind, answer = read_frame(self.socket)
        if kind != SERVER_HELLO:
            raise EOFError("refused")
        secret = os.urandom(32)
        enc = x25519(secret, (9).to_bytes(32, "little"))
        server_key = answer[5 + 2 + 2 + 32 + 2 :][:32]
        info = b"eml channel v1\0" + hashlib.sha256(hello + answer).digest()
        exporter = hpke_exporter(x25519(secret, server_key), enc, server_key, info)
        self.sending, self.hearing = (Direction(exporter(label)) for label in (b"eml c2s v1\0", b"eml s2c v1\0"))
        self.socket.sendall(frame(CLIENT_FINISH, enc))

    def sealed(self, kind, flags, stream, payload):
        plain = struct.pack(">BBII", kind, flags, stream, len(payload)) + payload
        plain = plain.ljust(max(256, _padme(len(plain))), b"\0")
        head = struct.pack(">IB", len(plain) + 16, RECORD)
        return head + self.sending.seal(plain, head)

    def say(self, kind, flags, stream, payload):
        self.socket.sendall(self.sealed(kind, flags, stream, payload))

    def ask(self, message, end=True):
        """Opens the next stream with this Binary HTTP message."""
        self.newest += 1
        pieces = [message[i : i + 16374] for i in range(0, len(message), 16374)]
        for i, piece in enumerate(pieces):
            self.say(DATA, int(end and i + 1 == len(pieces)), self.newest, piece)
        return self.newest

    def hear(self):
        """Kind, flags, stream and payload of the next record."""
        _, whole = read_frame(self.socket)
        plain = self.hearing.open(whole[5:], whole[:5])
        kind, flags, stream, size = struct.unpack(">BBII", plain[:10])
        return kind, flags, stream, plain[10 : 10 + size]

    def hear_until(self, kind):
        while True:
            record = self.hear()
            if record[0] == kind:
                return record

    def closed_by_peer(self):
        """Reads on to the end of the stream."""
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
        self.socket.close()


def embeddings_request(texts, encoding="base64", model="all-minilm-l6-v2"):
    body = json.dumps({"model": model, "input": texts, "encoding_format": encoding}).encode()
    return http_request("POST", "/v1/embeddings", body)


def http_request(method, path, body):
    """RFC 9292, known length."""
    control = b"".join(_counted(part) for part in (method.encode(), b"https", b"", path.encode()))
    fields = _counted(b"content-type") + _counted(b"application/json")
    return b"\0" + control + _counted(fields) + _counted(body) + b"\0"


def _counted(data):
    size = len(data)
    if size < 64:
        return bytes([size]) + data
    if size < 1 << 14:
        return struct.pack(">H", size | 1 << 14) + data
    return struct.pack(">I", size | 2 << 30) + data


def _padme(n):
    exponent = n.bit_length() - 1
    mask = (1 << max(0, exponent - exponent.bit_length())) - 1
    return (n + mask) & ~mask


class Direction:
    def __init__(self, secret):
        self.key = _expand(secret, b"eml key v1\0", 32)
        self.iv = int.from_bytes(_expand(secret, b"eml iv v1\0", 12), "big")
        self.sequence = 0

    def _nonce(self):
        nonce = (self.iv ^ self.sequence).to_bytes(12, "big")
        self.sequence += 1
        return nonce

    def seal(self, plain, head):
        nonce = self._nonce()
        sealed = _chacha20(self.key, nonce, plain)
        return sealed + _tag(self.key, nonce, head, sealed)

    def open(self, sealed, head):
        nonce = self._nonce()
        if _tag(self.key, nonce, head, sealed[:-16]) != sealed[-16:]:
            raise ValueError("the record does not open")
        return _chacha20(self.key, nonce, sealed[:-16])


# RFC 5869, RFC 9180 (base mode, export only), RFC 8439, RFC 7748.


def _hmac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def _expand(secret, info, size):
    out, block = b"", b""
    for counter in range(1, 255):
        block = _hmac(secret, block + info + bytes([counter]))
        out += block
        if len(out) >= size:
            return out[:size]
    raise ValueError(size)


def hpke_exporter(shared, enc, public, info):
    kem = b"KEM\0\x20"
    suite = b"HPKE\0\x20\0\x01\0\x03"

    def extract(suite_id, salt, label, key):
        return _hmac(salt or bytes(32), b"HPKE-v1" + suite_id + label + key)

    def expand(suite_id, secret, label, context, size):
        return _expand(secret, struct.pack(">H", size) + b"HPKE-v1" + suite_id + label + context, size)

    prk = extract(kem, b"", b"eae_prk", shared)
    secret = expand(kem, prk, b"shared_secret", enc + public, 32)
    context = b"\0" + extract(suite, b"", b"psk_id_hash", b"") + extract(suite, b"", b"info_hash", info)
    exporter_secret = expand(suite, extract(suite, secret, b"secret", b""), b"exp", context, 32)
    return lambda label: expand(suite, exporter_secret, b"sec", label, 32)


def _chacha20(key, nonce, data, counter=1):
    start = (*struct.unpack("<4I", b"expand 32-byte k"), *struct.unpack("<8I", key), 0, *struct.unpack("<3I", nonce))
    out = []
    for i in range(0, len(data), 64):
        first = (*start[:12], counter + i // 64, *start[13:])
        block = _chacha20_block(first)
        piece = data[i : i + 64]
        stream = int.from_bytes(block[: len(piece)], "little")
        out.append((stream ^ int.from_bytes(piece, "little")).to_bytes(len(piece), "little"))
    return b"".join(out)


def _chacha20_block(first):
    x = list(first)
    for _ in range(10):
        for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                           (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            xa, xb, xc, xd = x[a], x[b], x[c], x[d]
            for left, right in ((16, 12), (8, 7)):
                xa = xa + xb & 0xFFFFFFFF
                xd ^= xa
                xd = (xd << left | xd >> 32 - left) & 0xFFFFFFFF
                xc = xc + xd & 0xFFFFFFFF
                xb ^= xc
                xb = (xb << right | xb >> 32 - right) & 0xFFFFFFFF
            x[a], x[b], x[c], x[d] = xa, xb, xc, xd
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(x, first)))


def _tag(key, nonce, head, sealed):
    one_time = _chacha20(key, nonce, bytes(32), counter=0)
    r = int.from_bytes(one_time[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    s = int.from_bytes(one_time[16:], "little")

    def padded(data):
        return data + bytes(-len(data) % 16)

    data = padded(head) + padded(sealed) + struct.pack("<QQ", len(head), len(sealed))
    total = 0
    for i in range(0, len(data), 16):
        total = (total + int.from_bytes(data[i : i + 16] + b"\1", "little")) * r % ((1 << 130) - 5)
    return (total + s & (1 << 128) - 1).to_bytes(16, "little")


def x25519(scalar, point):
    p = (1 << 255) - 19
    k = bytearray(scalar)
    k[0] &= 248
    k[31] = k[31] & 127 | 64
    k = int.from_bytes(k, "little")
    x1 = int.from_bytes(point, "little") & (1 << 255) - 1
    x2, z2, x3, z3, swapped = 1, 0, x1, 1, 0
    for t in reversed(range(255)):
        bit = k >> t & 1
        if swapped ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swapped = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a, b * b, d * a, c * b
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % p, x1 * (da - cb) ** 2 % p
        x2, z2 = aa * bb % p, e * (aa + 121665 * e) % p
    if swapped:
        x2, z2 = x3, z3
    return (x2 * pow(z2, p - 2, p) % p).to_bytes(32, "little")
