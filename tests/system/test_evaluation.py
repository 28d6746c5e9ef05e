"""Evidence `local` is loud, and nothing that an operator or a user can set makes it pass for production.

The keys, flags and variables that are tried come from the program itself: `serve --help` and its own bytes. A new one
makes a test here fail until somebody has thought of a value for it.
"""

import json
import os
import pathlib
import re

from harness import (BUNDLE, MODE, PROGRAM, RECEIPT, Process, Server, SystemTest, cbor_decode, claims, main, must,
                     read_dossier, run, verdict)

BANNER = "EVALUATION ONLY"

# For each key the values that come closest to production. "refused" before a value: the server must not start with it.
ATTEMPTS = {
    "server.listen": ["127.0.0.1:0"],
    "server.metrics": ["127.0.0.1:0"],
    "server.mode": ["refused production", "refused PRODUCTION", "refused tdx", "refused "],
    "server.attester": ["refused tdx", "refused sevsnp", "refused nitro", "refused confidential_space", "refused tpm",
                        "refused auto", "refused LOCAL", "refused local,tdx", "refused production", "refused "],
    "server.state_directory": ["other-state", "refused /dev/tdx_guest"],
    "server.collateral": ["other-state", "production"],
    "server.issuer": ["production", "tdx.production.example"],
    "server.operator_key": ["ab" * 32],
    "server.threads": ["2"],
    "server.log_level": ["error", "debug", "refused production"],
    "model.package": ["refused /"],
    "model.publishers": ["refused production"],
    "model.minimum_serials": ["refused production"],
    "keys.broker": ["refused https://127.0.0.1:1"],
    "keys.broker_key": ["refused " + "ab" * 32],
    "keys.dek_file": ["refused broker.key"],
    "engine.precision": ["refused production"],
    "engine.kernels": ["refused production"],
    "engine.threads": ["1"],
    "epoch.seconds": ["3600"],
    "epoch.evidence_valid_seconds": ["3600", "refused 31536000"],
    "limits.channels": ["1"],
    "limits.handshakes": ["1"],
    "limits.hellos_per_second": ["1"],
    "limits.hellos_burst": ["1"],
    "limits.request_bytes_total": ["1073741824"],
    "limits.queue_busy_ms": ["1"],
    "limits.queue_ms": ["1"],
    "limits.queue_requests": ["1"],
    "limits.drain_seconds": ["1"],
    "limits.streams": ["1"],
    "limits.request_bytes": ["65536"],
    "limits.handshake_ms": ["60000"],
    "limits.idle_ms": ["3600000"],
    "limits.stall_ms": ["600000"],
}
FLAGS_OF_SERVE = {"--help", "--config", "--set", "--print-config", "--write-bundle", "--json", "--precision", "--root"}


def ignored(reason="it does not matter here"):
    return {"ignore": reason}


def hardware_policy():
    """Entries of all kinds that have hardware, which ignore all that can be ignored."""
    measurements = {"tdx": ["mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"], "sevsnp": ["measurement", "host_data"],
                    "nitro": ["pcr0", "pcr1", "pcr2"], "confidential_space": ["image_digest"]}
    requirements = {"tdx": ["allow_service_td", "require_sept_ve_disable"],
                    "sevsnp": ["allow_migration_agent", "max_vmpl", "min_committed_tcb", "require_committed_firmware",
                               "require_vmpl"],
                    "nitro": ["pcrs"],
                    "confidential_space": ["allow_cmd_override", "allow_env_override", "google_service_account",
                                           "hwmodel", "require_nvidia_gpu_cc_mode", "require_secboot",
                                           "require_support_attribute", "require_tdx_tcb", "restart_policy"]}
    entries = [{"name": kind.replace("_", "-"), "kind": kind, "measurements": {name: ignored() for name in names},
                "configuration": ignored(), "platform_identity": ignored(), "operator_key": ignored(),
                "tcb_floor": ignored(), "requirements": {name: ignored() for name in requirements[kind]}, "publisher": ignored(), "model": ignored(), "not_before": ignored(),
                "not_after": ignored(), "approved_by": "the system test"} for kind, names in measurements.items()]
    return {"schema": "eml-policy/1", "serial": 1, "name": "production", "fresh_evidence": ignored(),
            "entries": entries}


class Evaluation(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        world = cls.world
        cls.production = world.path("production.json")
        cls.production.write_text(json.dumps(hardware_policy()))
        # The broker, and the clients, take any configuration: so that it is never that which refuses.
        policy = json.loads(world.policy.read_text())
        del policy["signatures"]
        for member in ("configuration", "operator_key", "model", "publisher"):
            policy["entries"][0][member] = ignored()
        world.path("draft.json").write_text(json.dumps(policy))
        world.policy.unlink()
        must("policy", "sign", world.path("draft.json"), "--key", world.path("policy.key"), "--to", world.policy)
        world.start_broker()

    def attempt(self, name, settings, env=None):
        """Starts a server with these settings; None if it refuses to start, with what it said checked."""
        arguments = ["serve", "--json", *self.world.serve_arguments(), *settings]
        process = self.world.add(Process(self.world.directory, name, arguments, env=env))
        try:
            said = process.ready()
        except AssertionError:
            self.assertNotEqual(process.wait(), 0)
            self.assertEqual(process.out(), "")
            self.assertRegex(process.err(), r"(?m)^ephemeralml: .+")
            return None
        process.at, process.mode = said["server"], said["mode"]
        return process

    def assert_evaluation_only(self, server, name):
        self.assertEqual(server.mode, "evaluation")
        self.assertIn(BANNER, server.err())
        dossier = self.world.ask_for_dossier(name, server=server)
        self.assertEqual(claims(read_dossier(dossier)[RECEIPT])[MODE], "evaluation")
        self.assertEqual(cbor_decode(read_dossier(dossier)[BUNDLE])[1], "local")
        self.assertEqual(verdict(dossier, "--policy", self.production)[0], 1)
        refused = self.world.infer("--json", server=server, policy=self.production)
        self.assertEqual((refused.returncode, refused.stdout), (1, ""))
        self.assertIn("[local-root-unknown]", refused.stderr)
        self.assertEqual(server.stop(), 0)

    def test_every_key_of_the_configuration(self):
        listed = re.findall(r"^  ([a-z_]+\.[a-z_]+)$", must("serve", "--help").stdout, re.M)
        self.assertEqual(sorted(listed), sorted(ATTEMPTS))
        for key in listed:
            for number, value in enumerate(ATTEMPTS[key]):
                refused = value.startswith("refused ")
                value = value.removeprefix("refused ")
                with self.subTest(key=key, value=value):
                    name = f"{key}-{number}"
                    if key == "server.state_directory" and not refused:
                        # Another root; this policy knows the first one only. It may run: but not with our key.
                        refused, value = True, str(self.world.path(value))
                    server = self.attempt(name, ["--set", f"{key}={value}"])
                    self.assertEqual(server is None, refused)
                    if server:
                        self.assert_evaluation_only(server, name)

    def test_production_mode_says_why_it_does_not_start(self):
        done = run("serve", *self.world.serve_arguments(server__mode="production"), "--json")
        self.assertEqual((done.returncode != 0, done.stdout), (True, ""))
        self.assertRegex(done.stderr, r"not-above-production-floor|secret-memory")

    def test_a_key_from_a_file_is_for_evaluation_only(self):
        values = {**self.world.serve_values, "keys.dek_file": str(self.world.path("broker.key"))}
        del values["keys.broker"], values["keys.broker_key"]
        config = self.world.write_config("file.toml", values)
        server = self.world.add(Server(self.world.directory, ["--config", config], name="file"))
        self.assertIn("EVALUATION: the model's key comes from a file", server.err())
        self.assert_evaluation_only(server, "file-dossier")
        done = run("serve", "--config", config, "--set", "server.mode=production", "--json")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("keys.dek_file", done.stderr)

    def test_every_flag_of_serve(self):
        options = must("serve", "--help").stdout.split("Keys of the configuration")[0]
        self.assertEqual(set(re.findall(r"--[a-z-]+", options)), FLAGS_OF_SERVE)
        # The only one that changes what runs is --set, whose keys are all tried above; twice is no way around either.
        self.assertIsNone(self.attempt("twice", ["--set", "server.mode=evaluation", "--set", "server.mode=production"]))
        self.assertIsNone(self.attempt("precision", ["--precision", "production"]))
        # A root of one's own is refused for production, and makes nothing of software evidence.
        done = run("serve", *self.world.serve_arguments(server__mode="production"), "--root", self.world.policy, "--json")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("--root", done.stderr)
        server = self.attempt("root", ["--root", self.world.policy])
        self.assert_evaluation_only(server, "root-dossier")
        for flag in ("--production", "--mode=production", "--attester=tdx", "--no-banner", "--quiet", "--force"):
            self.assertIsNone(self.attempt("flag", [flag]), flag)

    def test_every_environment_variable(self):
        for name in sorted(set(re.findall(rb"\bEML_[A-Z0-9_]+\b", pathlib.Path(PROGRAM).read_bytes()))):
            with self.subTest(name=name):
                name = name.decode()
                server = self.attempt(name, [], env={**os.environ, name: "production"})
                if server:  # it may as well say that this is no value for it
                    self.assert_evaluation_only(server, name)

    def test_environment_variables_that_there_could_be(self):
        env = {f"{prefix}{name}": value for prefix in ("EML_", "EPHEMERALML_") for name, value in
               (("MODE", "production"), ("SERVER_MODE", "production"), ("ATTESTER", "tdx"), ("SERVER_ATTESTER", "tdx"),
                ("TEE", "tdx"), ("PRODUCTION", "1"), ("DEV", "0"), ("EVALUATION", "0"))}
        server = self.attempt("environment", [], env={**os.environ, **env})
        self.assert_evaluation_only(server, "environment-dossier")


class Consent(SystemTest):
    """Whoever accepts evaluation has said so in his policy."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.start()
        cls.dossier = cls.world.ask_for_dossier("dossier")

    def test_the_banner_is_there_for_servers_and_clients(self):
        self.assertIn(BANNER, self.world.server.err())
        done = self.world.infer()
        self.assertIn(BANNER, done.stderr)
        self.assertIn("EVALUATION", done.stdout)

    def test_verify_says_no_without_consent(self):
        self.assertEqual(verdict(self.dossier), (1, {"receipt-policy": "air-evaluation-mode-rejected"}))
        production = self.world.path("production.json")
        production.write_text(json.dumps(hardware_policy()))
        status, failed = verdict(self.dossier, "--policy", production)
        self.assertEqual(status, 1)
        self.assertIn("receipt-policy", failed)

    def test_with_consent_it_is_still_not_green(self):
        done = run("verify", self.dossier, "--policy", self.world.policy, env={**os.environ, "TERM": "xterm"})
        self.assertEqual(done.returncode, 0)
        self.assertTrue(done.stdout.startswith("VERIFIED FOR EVALUATION ONLY"), done.stdout)
        self.assertNotIn("\x1b[32m", done.stdout)
        said = json.loads(run("verify", self.dossier, "--policy", self.world.policy, "--json").stdout)
        self.assertEqual((said["assurance"], said["evaluation"]), ("evaluation", True))

    def test_a_draft_without_consent_does_not_load(self):
        bundle, draft = self.world.path("bundle"), self.world.path("no-consent.json")
        must("serve", *self.world.serve_arguments(), "--write-bundle", bundle)
        must("policy", "from-bundle", bundle, "--approved-by", "nobody", "--to", draft)
        self.assertEqual(run("verify", self.dossier, "--policy", draft).returncode, 2)
        refused = self.world.infer("--json", policy=draft)
        self.assertEqual((refused.returncode, refused.stdout), (2, ""))

    def test_an_entry_cannot_leave_the_consent_out(self):
        policy = json.loads(self.world.policy.read_text())
        del policy["signatures"]
        for consent in (None, ignored(), {"require": "no"}, {"require": True}, "acceptable"):
            policy["entries"][0]["evaluation"] = consent
            if consent is None:
                del policy["entries"][0]["evaluation"]
            path = self.world.path("changed.json")
            path.write_text(json.dumps(policy))
            self.assertEqual(run("verify", self.dossier, "--policy", path).returncode, 2, consent)

    def test_no_flag_of_verify_or_infer_gives_consent(self):
        production = self.world.path("production.json")
        production.write_text(json.dumps(hardware_policy()))
        for command in ("verify", "infer"):
            flags = re.findall(r"^  (?:-\w,)?(--[a-z-]+)", must(command, "--help").stdout, re.M)
            self.assertEqual([flag for flag in flags if re.search("eval|accept|allow|insecure|force|skip", flag)], [])


if __name__ == "__main__":
    main()
