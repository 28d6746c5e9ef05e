"""Replay: what one server computed, this machine computes again to the same bits, with any kernels; and nothing else
passes for it."""

import base64
import hashlib
import json
import os
import shutil

from harness import (BUNDLE, RECEIPT, REQUEST, RESPONSE, SystemTest, flip, main, model_directory, must, read_dossier,
                     run, write_dossier)

TEXT = "The quarterly report shows a clear rise in revenue; see [SEP] page \u4e00\u0301, na\u00efve caf\u00e9."


def kernels_here():
    """The kernels that this machine runs in fp32, the best first."""
    said = json.loads(must("cpu", "--json").stdout)
    profile = next(one for one in said["profiles"] if one["numerics"] == "fp32")
    return [one["name"] for one in profile["kernels"] if one["usable"]]


class Replay(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kernels = kernels_here()
        cls.world.start_broker()
        # The variable forces it as the key of the configuration would.
        cls.world.start_server(env={**os.environ, "EML_KERNELS": cls.kernels[-1]})
        cls.dossier = cls.world.ask_for_dossier("base64", text=TEXT)
        cls.genuine = read_dossier(cls.dossier)
        cls.model = model_directory()

    def replay(self, dossier, *arguments, model=None, policy=True):
        """`replay --json`: its exit status and what it said; None if it said nothing."""
        policy = ["--policy", self.world.policy] if policy else []
        done = run("replay", dossier, "--model", model or self.model, "--json", *policy, *arguments)
        return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr

    def lines(self, said):
        return {line["id"].removeprefix("replay-"): line["outcome"] for line in said["checks"]}

    def errors(self, said):
        return {line["id"].removeprefix("replay-"): line["error"] for line in said["checks"] if line["error"]}

    def changed(self, **members):
        numbers = {"receipt": RECEIPT, "request": REQUEST, "response": RESPONSE, "bundle": BUNDLE}
        out = dict(self.genuine)
        for name, value in members.items():
            out[numbers[name]] = value
        return write_dossier(self.world.path("changed.dossier"), out)

    def response_with(self, change):
        response = json.loads(self.genuine[RESPONSE])
        change(response)
        return json.dumps(response).encode()

    def test_the_same_bits_on_each_kernel_of_this_machine(self):
        for kernels in self.kernels:
            status, said, _ = self.replay(self.dossier, "--kernels", kernels)
            self.assertEqual(status, 0, said)
            self.assertEqual((said["verdict"], said["exit_code"]), ("same bits", 0))
            self.assertEqual((said["served_with"], said["kernels"]), (self.kernels[-1], kernels))
            self.assertEqual((said["numerics"], said["texts"], said["difference"]), ("fp32", 1, None))
            self.assertEqual(set(self.lines(said).values()), {"passed"})
            self.assertTrue(said["evaluation"])

    def test_the_best_kernels_are_taken_by_themselves(self):
        self.assertEqual(self.replay(self.dossier)[1]["kernels"], self.kernels[0])

    def test_numbers_in_decimal_are_the_same_bits_too(self):
        done = self.world.infer("--format", "float", "--save", self.world.path("decimal"), text=TEXT)
        self.assertEqual(done.returncode, 0, done.stderr)
        dossier = self.world.path("decimal") / "000001.dossier"
        self.assertIsInstance(json.loads(read_dossier(dossier)[RESPONSE])["data"][0]["embedding"], list)
        status, said, _ = self.replay(dossier)
        self.assertEqual((status, said["verdict"]), (0, "same bits"))

    def test_an_encrypted_package_with_its_key(self):
        status, said, err = self.replay(self.dossier, "--key-file", self.world.path("broker.key"),
                                        model=self.world.package)
        self.assertEqual(status, 0, err)
        self.assertEqual(said["verdict"], "same bits")

    def test_an_encrypted_package_without_its_key_is_not_judged(self):
        status, said, err = self.replay(self.dossier, model=self.world.package)
        self.assertEqual((status, said), (2, None))
        self.assertIn("replay-no-key", err)
        other = self.world.path("other.key")
        must("keygen", "--purpose", "broker", "--to", other)
        status, said, err = self.replay(self.dossier, "--key-file", other, model=self.world.package)
        self.assertEqual((status, said), (2, None))
        self.assertIn("dek-wrong-recipient", err)

    def test_without_a_policy_the_numbers_are_judged_and_the_evidence_is_not(self):
        status, said, _ = self.replay(self.dossier, policy=False)
        self.assertEqual((status, said["verdict"], said["policy"]), (0, "same bits", False))
        self.assertIn("NOT judged", said["summary"])
        self.assertIn("NOT judged", run("replay", self.dossier, "--model", self.model).stdout.splitlines()[0])

    def test_one_bit_of_the_answer(self):
        def change(response):
            numbers = base64.b64decode(response["data"][0]["embedding"])
            response["data"][0]["embedding"] = base64.b64encode(flip(numbers, 4 * 7)).decode()

        status, said, _ = self.replay(self.changed(response=self.response_with(change)))
        self.assertEqual(status, 1)
        self.assertEqual(self.errors(said), {"dossier": "link-response-hash", "numbers": "replay-bits-differ"})
        difference = said["difference"]
        self.assertEqual((difference["text"], difference["element"], difference["ulps"],
                          difference["elements_that_differ"]), (0, 7, 1, 1))
        self.assertTrue(0 < difference["absolute"] < 1e-7)

    def test_an_answer_of_another_form(self):
        def shorter(response):
            numbers = base64.b64decode(response["data"][0]["embedding"])
            response["data"][0]["embedding"] = base64.b64encode(numbers[:-4]).decode()

        def twice(response):
            response["data"].append(dict(response["data"][0], index=1))

        for change in (shorter, twice):
            status, said, _ = self.replay(self.changed(response=self.response_with(change)))
            self.assertEqual(status, 1)
            self.assertEqual(self.errors(said)["numbers"], "replay-shape-differs")
        status, said, _ = self.replay(self.changed(response=b"{}"))
        self.assertEqual((status, self.lines(said)["numbers"]), (1, "not checked"))

    def test_another_count_of_tokens(self):
        change = self.response_with(lambda response: response["usage"].update(prompt_tokens=1))
        status, said, _ = self.replay(self.changed(response=change))
        self.assertEqual((status, self.errors(said)["tokens"]), (1, "replay-tokens-differ"))

    def test_another_request(self):
        request = json.loads(self.genuine[REQUEST])
        request["input"] = TEXT.replace("clear", "steep")
        status, said, _ = self.replay(self.changed(request=json.dumps(request).encode()))
        self.assertEqual(status, 1)
        self.assertEqual(self.errors(said), {"dossier": "link-request-hash", "numbers": "replay-bits-differ"})
        self.assertGreater(said["difference"]["elements_that_differ"], 300)

    def test_another_profile(self):
        change = self.response_with(lambda response: response["eml"].update(numerics="fp99"))
        status, said, _ = self.replay(self.changed(response=change))
        self.assertEqual((status, self.errors(said)), (1, {"dossier": "link-response-hash"}))
        self.assertEqual((self.lines(said)["profile"], self.lines(said)["numbers"]), ("not checked", "not checked"))
        self.assertIn("fp99", next(line["detail"] for line in said["checks"] if line["id"] == "replay-profile"))

    def test_a_receipt_that_nobody_signed(self):
        status, said, _ = self.replay(self.changed(receipt=flip(self.genuine[RECEIPT], -1)))
        self.assertEqual((status, self.errors(said)), (1, {"dossier": "signature-invalid"}))
        self.assertEqual(said["model_hash"], None)
        self.assertEqual([outcome for name, outcome in self.lines(said).items() if name != "dossier"],
                         ["not checked"] * 4)

    def other_model(self, name, change):
        directory = self.world.path(name)
        directory.mkdir()
        for file in ("config.json", "tokenizer.json", "model.safetensors"):
            shutil.copyfile(self.model / file, directory / file)
        change(directory)
        return directory

    def test_another_model(self):
        def one_bit_of_a_weight(directory):
            with open(directory / "model.safetensors", "r+b") as file:
                file.seek(40_000_000)
                byte = file.read(1)
                file.seek(-1, os.SEEK_CUR)
                file.write(flip(byte, 0))

        def longer_config(directory):
            with open(directory / "config.json", "a") as file:
                file.write("\n")

        for name, change, error in (("weight", one_bit_of_a_weight, "package-file-hash"),
                                    ("config", longer_config, "package-file-size")):
            status, said, _ = self.replay(self.dossier, model=self.other_model(name, change))
            self.assertEqual((status, self.errors(said)), (1, {"model": error}))
            self.assertEqual(self.lines(said)["numbers"], "not checked")
            shutil.rmtree(self.world.path(name))

    def test_a_package_of_another_model(self):
        key_id = json.loads(must("model", "inspect", self.world.package, "--json").stdout)["key_id"]
        other = self.world.path("other.pkg")
        must("model", "package", self.model, "--to", other, "--key", self.world.path("publisher.key"),
             "--key-id", key_id, "--id", "another-name")
        status, said, _ = self.replay(self.dossier, "--key-file", self.world.path("broker.key"), model=other)
        self.assertEqual((status, self.errors(said)), (1, {"model": "replay-other-model"}))

    def test_a_dossier_that_kept_no_bodies(self):
        members = {key: value for key, value in self.genuine.items() if key not in (REQUEST, RESPONSE)}
        members[5] = hashlib.sha256(self.genuine[REQUEST]).digest()
        members[6] = hashlib.sha256(self.genuine[RESPONSE]).digest()
        bare = write_dossier(self.world.path("bare.dossier"), members)
        status, said, _ = self.replay(bare, policy=False)
        self.assertEqual((status, said["verdict"]), (2, "not judged"))
        request, response = self.world.path("request.json"), self.world.path("response.json")
        request.write_bytes(self.genuine[REQUEST])
        response.write_bytes(self.genuine[RESPONSE])
        status, said, _ = self.replay(bare, "--request", request, "--response", response)
        self.assertEqual((status, said["verdict"]), (0, "same bits"))

    def test_the_text_for_a_person(self):
        done = run("replay", self.dossier, "--model", self.model, "--policy", self.world.policy)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith("SAME BITS: "), done.stdout)
        self.assertIn("evaluation only", done.stdout.splitlines()[0])
        self.assertIn(f"served with {self.kernels[-1]}", done.stdout)
        self.assertNotIn("revenue", done.stdout)


if __name__ == "__main__":
    main()
