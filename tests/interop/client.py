"""An independent client: opens the attested channel, demands fresh evidence, asks for embeddings, checks what comes back.

    python client.py --server HOST:PORT --policy FILE [--text TEXT ...] [--model ID]

It shares no code with the program: it was written from docs/spec/ with pyhpke, cbor2 and cryptography. It prints one JSON
document. Exit status: 0 if all held, 1 if the server or an answer did not, 2 if it could not be tried.
"""

import argparse
import base64
import json
import math
import os
import socket
import struct
import sys
import time

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from pyhpke.kem_key import KEMKey

import eml_channel as eml
from eml_bhttp import decode_response, encode_request
from eml_channel import need
from eml_common import decode, strict_json, verify_signature
from eml_evidence import Peer, load_policy
from eml_receipt import check_cleanup, check_receipt, check_refusal


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Stream:
    def __init__(self):
        self.body, self.ended, self.statements, self.finished = b"", False, [], False


class Channel:
    """Sections 1 to 6 of channel.md over a socket; one thread, blocking."""

    def __init__(self, host, port, policy):
        self.socket = socket.create_connection((host, port), timeout=30)
        self.received, self.streams, self.newest = b"", {}, 0
        self.settings = None
        hello = eml.client_hello(os.urandom(32))
        self.socket.sendall(hello)
        kind, answer = self.read_frame(1 << 20)
        need(kind == eml.SERVER_HELLO, "1: a server_hello comes next")
        public_key, self.bundle, signature = eml.parse_server_hello(answer[5:])
        self.peer = Peer(self.bundle, int(time.time()), policy)
        verify_signature(self.peer.binding[9], eml.signed_hello(hello, answer), signature, "2.3 step 3: signature")
        server_key = KEMKey.from_pyca_cryptography_key(X25519PublicKey.from_public_bytes(public_key))
        enc, context = eml.SUITE.create_sender_context(server_key, eml.channel_info(hello, answer))
        self.keys = eml.Keys(context)
        self.socket.sendall(eml.frame(eml.CLIENT_FINISH, enc))
        self.read_record()
        need(self.settings is not None, "4: the first record is SETTINGS")

    def read_exactly(self, size):
        while len(self.received) < size:
            more = self.socket.recv(1 << 16)
            need(more, "6: the connection ended without CLOSE")
            self.received += more
        out, self.received = self.received[:size], self.received[size:]
        return out

    def read_frame(self, body_max):
        head = self.read_exactly(5)
        size, kind = struct.unpack(">IB", head)
        need(kind != eml.REFUSE, "1: the server refused")
        need(0 < size <= body_max, "1: size of a frame")
        return kind, head + self.read_exactly(size)

    def say(self, kind, flags, stream, payload):
        self.socket.sendall(eml.seal_record(self.keys.c2s, kind, flags, stream, payload))

    def ask(self, message):
        self.newest += 1
        self.streams[self.newest] = Stream()
        step = 16374
        pieces = [message[i : i + step] for i in range(0, len(message), step)]
        for i, piece in enumerate(pieces):
            self.say(eml.DATA, 1 if i + 1 == len(pieces) else 0, self.newest, piece)
        return self.newest

    def read_record(self):
        frame_kind, whole = self.read_frame(65552)
        need(frame_kind == eml.RECORD and len(whole) >= 277, "1: a record comes next")
        kind, flags, stream, payload = eml.open_record(self.keys.s2c, whole)
        if self.settings is None:
            need(kind == eml.SETTINGS and stream == 0, "4: the first record is SETTINGS")
            self.settings = decode(payload)
            need(set(self.settings) == {1, 2, 3, 4} and min(self.settings.values()) > 0, "4: SETTINGS")
            return kind
        need(kind != eml.SETTINGS, "4: SETTINGS once")
        if kind == eml.PING:
            need(stream == 0 and len(payload) == 8, "4: PING")
            if flags == 0:
                self.say(eml.PING, 1, 0, payload)
        elif kind == eml.CLOSE:
            need(stream == 0 and payload == b"\0\0", "4: CLOSE 0")
        elif kind == eml.GOAWAY:
            need(stream == 0 and len(payload) == 4, "4: GOAWAY")
        else:
            self.on_stream(kind, flags, stream, payload)
        return kind

    def on_stream(self, kind, flags, stream, payload):
        need(stream in self.streams and not self.streams[stream].finished, "5: an open stream")
        state = self.streams[stream]
        if kind == eml.DATA:
            need(not state.ended and (payload or flags), "5: DATA")
            state.body += payload
            state.ended = flags == 1
        elif kind == eml.STATEMENT:
            need(state.ended and payload, "5: STATEMENT after END")
            state.statements.append(payload)
            state.finished = flags == 1
        else:
            need(state.ended and not state.statements and payload == b"\0\2", "5: the stream was reset")
            state.finished = True

    def wait(self, stream):
        while not self.streams[stream].finished:
            need(self.read_record() != eml.CLOSE, "6: CLOSE before the answer")
        return self.streams.pop(stream)

    def close(self):
        self.say(eml.CLOSE, 0, 0, b"\0\0")
        while self.read_record() != eml.CLOSE:
            pass
        self.socket.close()


def embedding_of(content):
    body = strict_json(content)
    salt = body["eml"]["salt"]
    need(len(base64.urlsafe_b64decode(salt + "=" * (-len(salt) % 4))) == 16, "receipt: salt of the response")
    data = body["data"]
    need(len(data) == 1 and data[0]["index"] == 0, "one embedding")
    vector = data[0]["embedding"]
    if isinstance(vector, str):
        raw = base64.b64decode(vector, validate=True)
        vector = list(struct.unpack(f"<{len(raw) // 4}f", raw))
    need(all(math.isfinite(x) for x in vector), "finite numbers")
    return vector


def ask(channel, model, text, number, encoding):
    nonce = os.urandom(16)
    question = {
        "model": model,
        "input": text,
        "encoding_format": encoding,
        "eml-nonce": b64url(nonce),
        "eml": {"salt": b64url(os.urandom(16))},
    }
    content = json.dumps(question).encode()
    fields = [("content-type", "application/json")]
    stream = channel.ask(encode_request("POST", "/v1/embeddings", fields, content, indeterminate=number % 2 == 1))
    answer = channel.wait(stream)
    status, _, body = decode_response(answer.body)
    need(status == 200, f"status {status}")
    need(len(answer.statements) == 2, "a receipt and a cleanup statement")
    claims = check_receipt(answer.statements[0], channel.peer, content, body, nonce)
    check_cleanup(answer.statements[1], channel.peer, answer.statements[0], claims)
    need(claims[-65545] == number, "receipt: the channel's sequence has a gap")
    return {"cti": claims[7].hex(), "model": claims[-65537], "sequence": number, "embedding": embedding_of(body)}


def ask_what_is_refused(channel, model):
    """A request that was read whole and refused has its own signed statement."""
    content = json.dumps({"model": model, "input": 7}).encode()
    stream = channel.ask(encode_request("POST", "/v1/embeddings", [("content-type", "application/json")], content, False))
    answer = channel.wait(stream)
    status, _, body = decode_response(answer.body)
    need(400 <= status <= 499 and len(answer.statements) == 1, "a refusal and its statement")
    return check_refusal(answer.statements[0], channel.peer, content, body, status)["reason"]


def demand_fresh_evidence(channel, policy):
    """Section 8: a live TEE at the end of this very channel."""
    nonce = os.urandom(32)
    answer = channel.wait(channel.ask(encode_request("POST", "/eml/v1/attest", [], nonce, indeterminate=True)))
    status, _, bundle = decode_response(answer.body)
    need(status == 200, f"8: status {status}")
    challenge = eml.sha256(eml.label("eml challenge v1"), nonce, channel.keys.channel_id)
    fresh = Peer(bundle, int(time.time()), policy, challenge)
    same = all(fresh.binding[key] == channel.peer.binding[key] for key in (3, 6, 7, 8, 9))
    need(same, "8: boot id, keys, models and configuration are those of the first")


def run(arguments):
    with open(arguments.policy, "rb") as file:
        policy = load_policy(file.read())
    host, _, port = arguments.server.rpartition(":")
    channel = Channel(host.strip("[]"), int(port), policy)
    demand_fresh_evidence(channel, policy)
    model = arguments.model or channel.peer.models[0]["id"]
    answers = [
        ask(channel, model, text, number, "float" if number % 2 == 0 else "base64")
        for number, text in enumerate(arguments.text)
    ]
    refused = ask_what_is_refused(channel, model)
    channel.close()
    return {
        "ok": True,
        "rule": channel.peer.rule,
        "mode": "evaluation",
        "boot_id": channel.peer.binding[3].hex(),
        "evidence_hash": channel.peer.evidence_hash.hex(),
        "fresh_evidence": True,
        "answers": answers,
        "refusal": refused,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True, metavar="HOST:PORT")
    parser.add_argument("--policy", required=True, metavar="FILE")
    parser.add_argument("--model", metavar="ID")
    parser.add_argument("--text", action="append", metavar="TEXT")
    arguments = parser.parse_args()
    arguments.text = arguments.text or ["The quick brown fox.", "jumps over the lazy dog", "caf\u00e9 \u6f22\u5b57"]
    try:
        result = run(arguments)
    except eml.Refused as error:
        print(json.dumps({"ok": False, "error": str(error)}))
        return 1
    except InvalidTag:
        print(json.dumps({"ok": False, "error": "4 step 2: a record does not open"}))
        return 1
    except OSError as error:
        print(json.dumps({"ok": False, "error": f"cannot be tried: {error.strerror or error}"}))
        return 2
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
