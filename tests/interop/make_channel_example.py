"""Writes channel_example.json: one handshake and its first records from fixed secrets, computed by this folder's own
reading of docs/spec/channel.md. The C++ tests must give the same bytes. With --check it
writes nothing and exits 1 if the file is not what it would write."""

import json
import pathlib
import sys

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pyhpke import KEMKeyPair
from pyhpke.kem_key import KEMKey

import eml_channel as eml


def raw(public):
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def main():
    secrets = {
        "channel_key_seed": bytes([0x11]) * 32,
        "client_random": bytes(range(32)),
        "server_kem_private": bytes([0x22]) * 32,
        "server_random": bytes(range(32, 64)),
        "client_kem_private": bytes([0x33]) * 32,
        "bundle": b"a bundle, which this example does not look into",
    }
    channel_key = Ed25519PrivateKey.from_private_bytes(secrets["channel_key_seed"])
    server_kem = X25519PrivateKey.from_private_bytes(secrets["server_kem_private"])
    client_kem = X25519PrivateKey.from_private_bytes(secrets["client_kem_private"])

    hello = eml.client_hello(secrets["client_random"])
    answer = eml.server_hello(
        secrets["server_random"], raw(server_kem.public_key()), secrets["bundle"], channel_key.sign, hello
    )
    info = eml.channel_info(hello, answer)
    ephemeral = KEMKeyPair(KEMKey.from_pyca_cryptography_key(client_kem), KEMKey.from_pyca_cryptography_key(client_kem.public_key()))
    enc, context = eml.SUITE.create_sender_context(
        KEMKey.from_pyca_cryptography_key(server_kem.public_key()), info, eks=ephemeral
    )
    assert enc == raw(client_kem.public_key())
    keys = eml.Keys(context)
    out = {name: value.hex() for name, value in secrets.items()}
    out |= {
        "client_hello": hello.hex(),
        "server_hello": answer.hex(),
        "info": info.hex(),
        "client_finish": eml.frame(eml.CLIENT_FINISH, enc).hex(),
        "c2s_0": context.export(eml.label("eml c2s v1"), 32).hex(),
        "s2c_0": context.export(eml.label("eml s2c v1"), 32).hex(),
        "channel_id": keys.channel_id.hex(),
        "c2s_1": eml.expand(context.export(eml.label("eml c2s v1"), 32), "eml next v1", 32).hex(),
    }
    settings = cbor2.dumps({1: 64, 2: 4 << 20, 3: 64 << 20, 4: 120000}, canonical=True)
    out["settings"] = eml.seal_record(keys.s2c, eml.SETTINGS, 0, 0, settings).hex()
    out["request"] = eml.seal_record(keys.c2s, eml.DATA, 1, 1, b"ask").hex()
    out["answer"] = eml.seal_record(keys.s2c, eml.DATA, 1, 1, b"answer").hex()
    out["close"] = eml.seal_record(keys.c2s, eml.CLOSE, 0, 0, b"\0\0").hex()
    keys.c2s.sequence = 65536
    out["record_65536"] = eml.seal_record(keys.c2s, eml.PING, 0, 0, b"8 bytes.").hex()
    path = pathlib.Path(__file__).parent / "channel_example.json"
    text = json.dumps(out, indent=1) + "\n"
    if sys.argv[1:] == ["--check"]:
        return int(path.read_text() != text)
    path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
