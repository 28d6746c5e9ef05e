"""The independent client against the real server, and what it must refuse. Runs in the environment of the judges' group
`interop` (pyhpke, cbor2, cryptography); exit 77 if the model is not here."""

import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "system"))

from harness import SystemTest, main  # noqa: E402


class Interop(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.start()
        cls.document = json.loads(pathlib.Path(cls.world.policy).read_text())

    def client(self, policy, *arguments):
        command = [sys.executable, HERE / "client.py", "--server", self.world.server.at, "--policy", policy, *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        return done.returncode, json.loads(done.stdout)

    def changed(self, name, change):
        """A copy of the policy after `change`, without signatures: the file is the client's own."""
        document = json.loads(json.dumps(self.document))
        document.pop("signatures", None)
        change(document["entries"][0])
        path = self.world.path(name)
        path.write_text(json.dumps(document))
        return path

    def test_verifies_the_server_asks_and_checks_every_receipt(self):
        code, said = self.client(self.world.policy, "--text", "one", "--text", "two", "--text", "caf\u00e9 \u6f22\u5b57", "--text", "x" * 40000)
        self.assertEqual((code, said["ok"]), (0, True), said)
        self.assertEqual([answer["sequence"] for answer in said["answers"]], [0, 1, 2, 3])
        self.assertEqual(len({answer["cti"] for answer in said["answers"]}), 4)
        self.assertTrue(said["refusal"])

    def test_gets_the_same_numbers_as_our_client_whatever_the_encoding(self):
        _, said = self.client(self.world.policy, "--text", "the same", "--text", "the same")
        as_numbers, as_bits = (answer["embedding"] for answer in said["answers"])
        self.assertEqual(len(as_numbers), 384)
        for a, b in zip(as_numbers, as_bits):
            self.assertAlmostEqual(a, b, delta=1e-7)

    def test_refuses_a_server_that_its_policy_does_not_accept(self):
        changes = {
            "root is not pinned": lambda entry: entry["roots"].update(require=["ab" * 32]),
            "'measurements'": lambda entry: entry["measurements"]["binary"].update(require="ab" * 48),
            "'publisher'": lambda entry: entry.update(publisher={"require": "ab" * 32}),
            "'configuration'": lambda entry: entry.update(configuration={"require": "ab" * 32}),
            "'not_after'": lambda entry: entry.update(not_after={"require": "2020-01-01T00:00:00Z"}),
        }
        for reason, change in changes.items():
            code, said = self.client(self.changed("changed.json", change))
            self.assertEqual(code, 1, reason)
            self.assertIn(reason, said["error"])


if __name__ == "__main__":
    main()
