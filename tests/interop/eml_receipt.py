"""Receipts and statements: docs/spec/receipt.md, read a second time."""

from eml_channel import need, sha256
from eml_common import Sign1, closed

OUR_PROFILE = "urn:uuid:5329ba0f-5e9c-4214-9738-5e92e7207360"
REQUIRED = (1, 6, 7, 265, *range(-65548, -65536))
OPTIONAL = (10, -65549)
HASHES = (-65539, -65540, -65541, -65542)


def check_receipt(data, peer, request, response, nonce):
    """Layers 1 to 4 for a receipt of kind local, and the links to the peer and both bodies. Returns the claims."""
    claims = Sign1(data, "receipt").verify(peer.binding[8], {1: -8, 3: 61})
    closed(claims, REQUIRED, OPTIONAL)
    need(claims[265] == OUR_PROFILE, "receipt 10: profile")
    need(len(claims[7]) == 16, "receipt 11: cti")
    need(0 < claims[6] < 253402300800, "receipt 12: iat")
    need(all(isinstance(claims[key], bytes) and len(claims[key]) == 32 for key in HASHES), "receipt 13, 18: hashes")
    need(any(claims[-65539]), "receipt 13: model hash is zero")
    measurements = claims[-65543]
    need(measurements.get("measurement_type") == "local", "receipt 15: type")
    need(set(measurements) == {"measurement_type", "binary"}, "receipt 15: members")
    need(claims[-65549] == "sha256-manifest", "receipt 16: scheme")
    need(claims[-65548] == "evaluation", "receipt 17: mode; software evidence is never production")
    need(claims.get(10) == nonce, "receipt 21: nonce")
    need(claims[-65540] == sha256(request), "receipt 23: request hash")
    need(claims[-65541] == sha256(response), "receipt 23: response hash")
    need(claims[-65542] == peer.evidence_hash, "receipt 23: evidence hash")
    model = next((model for model in peer.models if model["hash"] == claims[-65539]), None)
    need(model is not None, "link 4: model is not in the binding")
    need((claims[-65537], claims[-65538]) == (model["id"], model["version"]), "link 4: model id and version")
    need(measurements["binary"] == peer.binary, "link 5: measurements")
    need(peer.binding[4] - 60 <= claims[6] <= peer.binding[5] + 600, "link 7: time")
    need(claims[-65544] == "sha256:" + peer.binding[6].hex(), "link 8: configuration")
    need(claims[1] == peer.configuration["issuer"], "issuer is the configuration's")
    return claims


def check_cleanup(data, peer, receipt, receipt_claims):
    header = {1: -8, 3: 61, 16: "application/vnd.ephemeralml.cleanup+cwt"}
    claims = Sign1(data, "cleanup").verify(peer.binding[8], header)
    closed(claims, (1, 6, 7, "wiped", "meaning", "receipt_cti", "receipt_hash"))
    need(claims["receipt_cti"] == receipt_claims[7], "cleanup: receipt's id")
    need(claims["receipt_hash"] == sha256(receipt), "cleanup: receipt's hash")
    need(claims["meaning"] == "report by attested code, not proof of deletion", "cleanup: meaning")
    wiped = closed(claims["wiped"], ("request", "response", "token_ids", "activations", "parsed_text"))
    need(all(count % 4096 == 0 and 0 <= count < 1 << 40 for count in wiped.values()), "cleanup: counts are whole buffers")
    need(wiped["request"] > 0 and wiped["response"] > 0, "cleanup: nothing was wiped")
    return claims


def check_refusal(data, peer, request, response, status):
    header = {1: -8, 3: 61, 16: "application/vnd.ephemeralml.refusal+cwt"}
    claims = Sign1(data, "refusal").verify(peer.binding[8], header)
    closed(claims, (1, 6, 7, "reason", "status", "request_hash", "response_hash", "attestation_doc_hash"))
    need(claims["status"] == status, "refusal: status")
    need(claims["request_hash"] == sha256(request), "refusal: request hash")
    need(claims["response_hash"] == sha256(response), "refusal: response hash")
    need(claims["attestation_doc_hash"] == peer.evidence_hash, "refusal: evidence hash")
    return claims
