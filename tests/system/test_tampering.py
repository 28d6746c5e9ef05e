"""Tampering: eight kinds, each caught by the check that is there for it, and by no other before it."""

import json
import os
import pathlib
import shutil

from harness import (BUNDLE, CLEANUP, PROGRAM, RECEIPT, REQUEST, RESPONSE, Process, Server, SystemTest, cbor_decode,
                     cbor_encode, flip, main, read_dossier, verdict, write_dossier)


class TamperedDossier(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.start()
        cls.genuine = read_dossier(cls.world.ask_for_dossier("one"))
        cls.other = read_dossier(cls.world.ask_for_dossier("two"))

    def failed_checks(self, **changed):
        members = dict(self.genuine)
        for name, value in changed.items():
            members[{"receipt": RECEIPT, "request": REQUEST, "response": RESPONSE, "bundle": BUNDLE,
                     "cleanup": CLEANUP}[name]] = value
        path = write_dossier(self.world.path("changed.dossier"), members)
        status, failed = verdict(path, "--policy", self.world.policy)
        self.assertEqual(status, 1 if changed else 0)
        return failed

    def test_untouched_it_verifies(self):
        self.assertEqual(self.failed_checks(), {})

    def test_a_byte_of_the_receipt(self):
        receipt = self.genuine[RECEIPT]
        for at in (len(receipt) // 2, len(receipt) - 1):
            self.assertEqual(self.failed_checks(receipt=flip(receipt, at)), {"receipt-signature": "signature-invalid"})

    def test_a_byte_of_the_request(self):
        self.assertEqual(self.failed_checks(request=flip(self.genuine[REQUEST], 20)),
                         {"link-9-bodies": "link-request-hash"})

    def test_a_byte_of_the_response(self):
        self.assertEqual(self.failed_checks(response=flip(self.genuine[RESPONSE], -20)),
                         {"link-9-bodies": "link-response-hash"})

    def test_a_byte_of_the_evidence(self):
        bundle = cbor_decode(self.genuine[BUNDLE])
        bundle[2] = flip(bundle[2], -1)
        self.assertEqual(self.failed_checks(bundle=cbor_encode(bundle)),
                         {"link-1-evidence": "link-evidence-hash", "bundle-genuine": "local-signature",
                          "link-2-bundle": "local-signature"})

    def test_a_byte_of_the_binding(self):
        bundle = cbor_decode(self.genuine[BUNDLE])
        binding = cbor_decode(bundle[3])
        binding[3] = flip(binding[3], 0)  # another boot id
        bundle[3] = cbor_encode(binding)
        failed = self.failed_checks(bundle=cbor_encode(bundle))
        self.assertEqual(failed["bundle-signed-value"], "bundle-signed-value")
        self.assertNotIn("bundle-genuine", failed)

    def test_another_runs_cleanup_statement(self):
        # Same server, same key, a statement that is right: but about another answer.
        failed = self.failed_checks(cleanup=self.other[CLEANUP])
        self.assertEqual(list(failed), ["link-11-cleanup"])
        self.assertTrue(failed["link-11-cleanup"].startswith("link-cleanup-"), failed)

    def test_another_runs_receipt(self):
        failed = self.failed_checks(receipt=self.other[RECEIPT])
        self.assertEqual(failed.keys(), {"link-9-bodies", "link-11-cleanup"})

    def test_each_byte_of_the_receipt_counts(self):
        receipt = self.genuine[RECEIPT]
        for at in range(0, len(receipt), 37):
            self.assertTrue(self.failed_checks(receipt=flip(receipt, at)), f"byte {at}")


class TamperedServer(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.start_broker()

    def other_program(self):
        """A program that does the same, with one more byte at its end."""
        path = self.world.path("other-program")
        shutil.copy(PROGRAM, path)
        with open(path, "ab") as file:
            file.write(b"\0")
        return path

    def refused_start(self, program=None, config=None):
        """Starts a server that must not come up, and returns what it said."""
        arguments = ["serve", "--json", *self.world.serve_arguments()]
        if config:
            arguments[3] = config
        server = self.world.add(Process(self.world.directory, "refused", arguments, program=program))
        self.assertEqual((server.wait() != 0, server.out()), (True, ""))
        return server.err()

    def released(self):
        decisions = [json.loads(line) for line in self.world.path("release.log").read_text().splitlines()]
        return [record for record in decisions if record["kind"] == "decision"]

    def refused_for(self, name, at, code):
        path = pathlib.Path(self.world.package) / name
        with open(path, "r+b") as file:
            file.seek(at, os.SEEK_END if at < 0 else os.SEEK_SET)
            position, byte = file.tell(), file.read(1)
            file.seek(position)
            file.write(flip(byte, 0))
        try:
            said = self.refused_start()
        finally:
            with open(path, "r+b") as file:
                file.seek(position)
                file.write(byte)
        last = said.splitlines()[-1]
        self.assertIn(f"{name}: ", last)
        self.assertIn(f"[{code}]", last)

    def test_a_byte_of_the_weights(self):
        for at in (40_000_000, -1):
            self.refused_for("model.safetensors.enc", at, "encfile-segment-damaged")

    def test_a_byte_of_the_configuration(self):
        self.refused_for("config.json", 100, "package-file-hash")

    def test_a_byte_of_the_tokenizer(self):
        self.refused_for("tokenizer.json", 200_000, "package-file-hash")

    def test_a_byte_of_the_manifest(self):
        self.refused_for("manifest.json", 100, "manifest-signature")

    def test_another_binary_gets_no_key(self):
        said = self.refused_start(program=self.other_program())
        self.assertIn("[release-refused]", said)
        self.assertIn("The broker refused to release the model's key to this server.", said)
        last = self.released()[-1]
        self.assertEqual((last["decision"], last["rule"]), ("refused", "policy-no-entry"))
        self.assertIn("measurements", last["detail"])
        self.assertIn("rule=policy-no-entry", self.world.broker.err())

    def test_a_client_sends_nothing_to_another_binary(self):
        # It has the key all the same: a stolen one, from a file.
        values = {**self.world.serve_values, "keys.dek_file": str(self.world.path("broker.key"))}
        del values["keys.broker"], values["keys.broker_key"]
        config = self.world.write_config("stolen.toml", values)
        arguments = ["--config", config]
        server = self.world.add(Server(self.world.directory, arguments, name="stolen", program=self.other_program()))
        done = self.world.infer("--json", server=server)
        self.assertEqual((done.returncode != 0, done.stdout), (True, ""))
        self.assertIn("[policy-no-entry]", done.stderr)
        self.assertEqual(server.metric("channels_total"), 0)
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    main()
