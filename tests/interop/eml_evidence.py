"""Evidence of kind local and its policy: the six checks of docs/spec/evidence.md and section 4 of docs/spec/policy.md."""

import datetime

from eml_channel import label, need, sha256
from eml_common import Sign1, canonical, closed, decode, strict_json, verify_signature

LOCAL_TYPE = "application/vnd.ephemeralml.local-evidence+cbor"


class Peer:
    """A server that passed all six checks."""

    def __init__(self, bundle, time, policy, challenge=None):
        self.check_form(bundle)
        self.check_genuine(policy)
        self.check_signed_value()
        self.check_validity(time, challenge)
        self.check_contents()
        self.appraise(policy, time)

    def check_form(self, bundle):
        need(len(bundle) <= 1046528, "bundle 1.1: size")
        self.bundle = closed(decode(bundle), (1, 2, 3, 6, 7), (4, 5, 8))
        need(self.bundle[1] == "local", "bundle 1.3: kind")
        raw = self.bundle[3]
        need(isinstance(raw, bytes) and len(raw) <= 4096, "bundle 1.4: binding")
        binding = closed(decode(raw), range(1, 10), (11, 12))
        need(binding[1] == 1, "bundle 1.4: binding version")
        sizes = {3: 16, 6: 32, 8: 32, 9: 32}
        need(all(isinstance(binding[key], bytes) and len(binding[key]) == size for key, size in sizes.items()), "bundle 1.4: binding")
        need(0 < binding[5] - binding[4] <= 3600, "bundle 1.4: not_after")
        models = binding[7]
        need(1 <= len(models) <= 64 and models == sorted(set(models)), "bundle 1.4: models")
        self.binding = binding
        self.evidence_hash = sha256(self.bundle[2])

    def check_genuine(self, policy):
        need(4 not in self.bundle, "bundle 2.2: local evidence has no endorsements")
        statement = Sign1(self.bundle[2], "local evidence")
        named = decode(statement.payload).get(3)
        roots = {root for entry in policy["entries"] if entry["kind"] == "local" for root in entry["roots"]["require"]}
        need(isinstance(named, bytes) and named.hex() in roots, "bundle 2.3: root is not pinned")
        claims = closed(statement.verify(named, {1: -8, 16: LOCAL_TYPE}), (1, 2, 3))
        need(len(claims[1]) == 32 and len(claims[2]) == 48, "bundle 2.3: statement")
        self.signed_value, self.binary, self.root = claims[1], claims[2], claims[3]

    def check_signed_value(self):
        need(self.signed_value == sha256(label("eml serve binding v1"), self.bundle[3]), "bundle 3: signed value")

    def check_validity(self, time, challenge):
        need(self.binding[2] == 1, "bundle 4.1: purpose")
        need(self.binding.get(12) == challenge, "bundle 4.2: challenge")
        need(self.binding[4] - 60 <= time, "bundle 4.3: not yet valid")
        need(time <= self.binding[5], "bundle 4.4: expired")

    def check_contents(self):
        need(sha256(self.bundle[6]) == self.binding[6], "bundle 5.1: configuration")
        self.configuration = strict_json(self.bundle[6])
        need(canonical(self.configuration) == self.bundle[6], "bundle 5.2: configuration is not canonical")
        need(self.configuration["schema"] == "eml-configuration/1", "bundle 5.2: schema")
        need(len(self.bundle[7]) == len(self.binding[7]), "bundle 5.3: manifests")
        self.models = [self.check_manifest(data, digest) for data, digest in zip(self.bundle[7], self.binding[7])]
        need(5 not in self.bundle and 11 not in self.binding, "bundle 5.8: devices")

    def check_manifest(self, data, digest):
        manifest = closed(strict_json(data), ("schema", "model", "package", "signatures"))
        need(manifest["schema"] == "eml-manifest/1", "bundle 5.4: schema")
        signed = label("eml manifest v1") + canonical({key: manifest[key] for key in manifest if key != "signatures"})
        keys = []
        for entry in manifest["signatures"]:
            verify_signature(bytes.fromhex(entry["key"]), signed, bytes.fromhex(entry["sig"]), "bundle 5.4: manifest signature")
            keys.append(entry["key"])
        model = manifest["model"]
        need(sha256(canonical(model)) == digest, "bundle 5.5: model hash")
        need(set(keys) & set(self.configuration["publishers"]), "bundle 5.6: publisher")
        need(model["serial"] >= self.configuration["minimum_serials"].get(model["id"], 0), "bundle 5.7: serial")
        return {"id": model["id"], "version": model["version"], "serial": model["serial"], "hash": digest, "publishers": keys}

    def appraise(self, policy, time):
        refused = {}
        for entry in policy["entries"]:
            field = self.first_that_fails(entry, time)
            if field is None:
                self.rule = entry["name"]
                return
            refused[entry["name"]] = field
        need(False, f"bundle 6: no entry of the policy accepts it: {refused}")

    def first_that_fails(self, entry, time):
        if entry["kind"] != "local":
            return "kind"

        def holds(field, judge):
            return "require" not in field or judge(field["require"])

        def moment(text):
            return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()

        def model_holds(wanted):
            if "hashes" in wanted:
                return all(model["hash"].hex() in wanted["hashes"] for model in self.models)
            return all(model["serial"] >= wanted["serials"].get(model["id"], 1 << 60) for model in self.models)

        judges = [
            ("evaluation", lambda v: v == "acceptable"),
            ("roots", lambda v: self.root.hex() in v),
            ("configuration", lambda v: self.binding[6].hex() == v),
            ("platform_identity", lambda v: False),
            ("operator_key", lambda v: self.configuration.get("operator_key") == v),
            ("tcb_floor", lambda v: False),
            ("publisher", lambda v: all(v in model["publishers"] for model in self.models)),
            ("model", model_holds),
            ("not_before", lambda v: moment(v) <= time),
            ("not_after", lambda v: time <= moment(v)),
        ]
        if not holds(entry["measurements"]["binary"], lambda v: self.binary.hex() == v):
            return "measurements"
        return next((name for name, judge in judges if not holds(entry[name], judge)), None)


def load_policy(data):
    policy = closed(strict_json(data), ("schema", "serial", "name", "fresh_evidence", "entries"), ("signatures",))
    need(policy["schema"] == "eml-policy/1", "policy: schema")
    for entry in policy["entries"]:
        if entry["kind"] == "local":
            need(entry["evaluation"] == {"require": "acceptable"}, "policy: local without consent to evaluation")
    signed = label("eml policy v1") + canonical({key: value for key, value in policy.items() if key != "signatures"})
    for entry in policy.get("signatures", []):
        verify_signature(bytes.fromhex(entry["key"]), signed, bytes.fromhex(entry["sig"]), "policy: signature")
    return policy
