#!/usr/bin/env python3
"""test_collect.py PROGRAM: `evidence collect` against a server of ours with TLS that gives the shared corpus's collateral
under the paths of the vendors' services, in good and in bad manners; then `evidence verify` and `forecast` with what was
collected. Without the corpus or openssl it is skipped (77)."""

import base64
import datetime
import http.server
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "support"))
from origin import make_certificate  # noqa: E402

CORPUS = pathlib.Path(os.environ.get("EML_SHARED") or SOURCE.parent / "shared") / "corpus"
PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else None
SERVICES = ["intel-pcs", "intel-certificates", "amd-kds", "google", "nvidia-rim", "nvidia-nras"]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.close_connection = True
        self.server.requests.append(self.path)
        manner = self.server.manners.get(self.path, "right")
        found = self.server.answers.get(self.path)
        body, headers = found if found else (b"", {})
        if found is None or manner == "missing":
            return self.reply(404, b"Not here.\n" * 200, {})
        if manner == "moved":
            return self.reply(302, b"", {"Location": "/elsewhere"})
        if manner == "huge":
            return self.reply(200, b"x" * (5 << 20), headers)
        if manner == "cut":
            return self.reply(200, body[: len(body) // 2], headers, len(body))
        if manner == "short":
            return self.reply(200, body[: len(body) // 2], headers)
        if manner == "garbage":
            return self.reply(200, b"<html>\x1b[31mlog in</html>", headers)
        if manner == "bare":
            return self.reply(200, body, {})
        if manner == "twisted":
            return self.reply(200, body, {name: "%zz" + value for name, value in headers.items()})
        return self.reply(200, body, headers)

    def reply(self, status, body, headers, claimed=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if claimed is None else claimed))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass  # a client that has seen enough hangs up


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, certificate=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.manners, self.requests = {}, {}, []
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"{'https' if certificate else 'http'}://localhost:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass


def case_of(kind, name):
    for case in json.loads((CORPUS / "open" / kind / "cases.json").read_text()):
        if case["id"] == name:
            return case
    raise KeyError(name)


def item(case, name):
    return (CORPUS / case["collateral"][name]).read_bytes()


def intel(case):
    """What Intel's services answer: paths from the files' names, not from the quote."""
    fmspc = pathlib.Path(case["collateral"]["tcb_info"]).name.split("_")[2]
    tee = "tdx" if "td_qe" in case["collateral"]["qe_identity"] else "sgx"
    ca = "platform" if "platform" in case["collateral"]["pck_crl"] else "processor"
    escaped = {name: urllib.parse.quote(item(case, name)) for name in ("tcb_signing_chain", "pck_crl_issuer_chain")}
    return {
        f"/{tee}/certification/v4/tcb?fmspc={fmspc}":
            (item(case, "tcb_info"), {"TCB-Info-Issuer-Chain": escaped["tcb_signing_chain"]}),
        f"/{tee}/certification/v4/qe/identity":
            (item(case, "qe_identity"), {"SGX-Enclave-Identity-Issuer-Chain": escaped["tcb_signing_chain"]}),
        f"/sgx/certification/v4/pckcrl?ca={ca}&encoding=der":
            (item(case, "pck_crl"), {"SGX-PCK-CRL-Issuer-Chain": escaped["pck_crl_issuer_chain"]}),
        "/IntelSGXRootCA.der": (item(case, "root_crl"), {}),
    }


def amd(case, product):
    report = (CORPUS / case["evidence"]).read_bytes()
    chip, tcb = report[0x1A0:0x1E0].hex(), report[0x180:0x188]
    key = f"/vcek/v1/{product}/{chip}?blSPL={tcb[0]}&teeSPL={tcb[1]}&snpSPL={tcb[6]}&ucodeSPL={tcb[7]}"
    return {key: (item(case, "vek"), {}), f"/vcek/v1/{product}/cert_chain": (item(case, "ca_chain"), {}),
            f"/vlek/v1/{product}/cert_chain": (item(case, "ca_chain"), {}),
            f"/vcek/v1/{product}/crl": (item(case, "crl"), {})}


def nvidia(case):
    answers = {}
    for name in ("driver_rim", "vbios_rim"):
        identity = pathlib.Path(case["collateral"][name]).name.removesuffix(".xml")
        body = {"id": identity, "rim": base64.b64encode(item(case, name)).decode(), "sha256": "", "last_updated": ""}
        answers[f"/v1/rim/{identity}"] = (json.dumps(body).encode(), {})
    return answers


class Collect(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.keys = tempfile.TemporaryDirectory(prefix="eml-collect-")
        certificate = pathlib.Path(cls.keys.name) / "localhost.pem"
        make_certificate(certificate)
        cls.server, cls.clear = Server(certificate), Server()
        cls.environment = dict(os.environ, NO_COLOR="1", SSL_CERT_FILE=str(certificate) + ".crt")

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="eml-collect-")
        self.addCleanup(self.directory.cleanup)
        self.to = pathlib.Path(self.directory.name) / "collateral"
        for server in (self.server, self.clear):
            server.answers, server.manners, server.requests = {}, {}, []

    def run_program(self, *arguments, environment=None):
        return subprocess.run([PROGRAM, "evidence", *map(str, arguments)], env=environment or self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=200)

    def collect(self, kind, case, *arguments, url=None, environment=None):
        services = [word for name in SERVICES for word in (f"--{name}", url or self.server.url + "/")]
        return self.run_program("collect", CORPUS / case["evidence"], "--kind", kind, "--to", self.to, *services,
                                *arguments, environment=environment)

    def verify(self, kind, case, *arguments, time=None):
        return self.run_program("verify", "--kind", kind, "--evidence", CORPUS / case["evidence"], "--collateral",
                                self.to, "--time", time or case["time"], "--json", *arguments)

    def assert_good(self, kind, case, names, *arguments, collect=()):
        done = self.collect(kind, case, *collect)
        self.assertEqual(done.returncode, 0, done.stderr)
        listed = json.loads((self.to / "collateral.json").read_text())
        self.assertEqual(listed["kind"], kind)
        self.assertEqual(sorted(entry["name"] for entry in listed["items"]), sorted(names))
        for entry in listed["items"]:
            content = (self.to / entry["file"]).read_bytes()
            self.assertEqual(content, item(case, entry["name"]), entry["name"])
            self.assertTrue(entry["source"].startswith(self.server.url + "/"), entry)
            self.assertRegex(entry["sha256"], "^[0-9a-f]{64}$")
            self.assertRegex(entry["fetched_at"], "^20..-..-..T..:..:..Z$")
        self.assertEqual(len(list(self.to.iterdir())), len(names) + 1)
        judged = self.verify(kind, case, *arguments)
        self.assertEqual(judged.returncode, 0, judged.stdout + judged.stderr)
        return {entry["name"]: entry for entry in listed["items"]}

    def assert_forecast(self, kind, case, *arguments):
        """The forecast's second is the last at which `verify` agrees."""
        done = self.run_program("forecast", CORPUS / case["evidence"], "--kind", kind, "--collateral", self.to, "--time",
                                case["time"], "--json", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        forecast = json.loads(done.stdout)
        last = forecast["good_until"]
        after = datetime.datetime.fromisoformat(last.replace("Z", "+00:00")) + datetime.timedelta(seconds=1)
        self.assertEqual(self.verify(kind, case, *arguments, time=last).returncode, 0)
        self.assertEqual(self.verify(kind, case, *arguments, time=after.strftime("%Y-%m-%dT%H:%M:%SZ")).returncode, 1)
        return forecast

    TDX_ITEMS = ["tcb_info", "tcb_signing_chain", "qe_identity", "pck_crl", "pck_crl_issuer_chain", "root_crl"]

    def test_a_trust_domains_quote_verifies_with_what_was_collected(self):
        case = case_of("tdx", "tdx_v5_gotdxguest_90c06f@20260406")
        self.server.answers = intel(case)
        listed = self.assert_good("tdx", case, self.TDX_ITEMS)
        stated = json.loads(item(case, "tcb_info"))["tcbInfo"]["nextUpdate"]
        self.assertEqual(listed["tcb_info"]["next_update"], stated)
        self.assertIn("not_after", listed["tcb_signing_chain"])
        forecast = self.assert_forecast("tdx", case)
        self.assertEqual(forecast["tcb_behind"], [])

    def test_an_enclaves_quote_of_a_processor_ca_verifies_with_what_was_collected(self):
        case = case_of("tdx", "sgx_v3_dcapqvl_00a067@20240910")
        self.server.answers = intel(case)
        self.assert_good("tdx", case, self.TDX_ITEMS)
        self.assert_forecast("tdx", case)

    def test_a_forecast_names_what_is_behind(self):
        case = case_of("tdx", "tdx_v4_automata_00806f05@20250611")  # OutOfDate
        self.server.answers = intel(case)
        self.assert_good("tdx", case, self.TDX_ITEMS)
        forecast = self.assert_forecast("tdx", case)
        self.assertEqual(forecast["tcb_status"], "OutOfDate")
        self.assertTrue(forecast["tcb_behind"])
        for gap in forecast["tcb_behind"]:
            self.assertLess(gap["have"], gap["want"])

    def test_reports_of_amds_verify_with_what_was_collected(self):
        for name, product, extra in (("milan_v3_oak_release", "Milan", ()), ("genoa_v3_azure_openpcc", "Genoa", ()),
                                     ("milan_v2_trustee", "Milan", ("--product", "Milan"))):
            with self.subTest(name):
                case = case_of("sevsnp", name)
                self.server.answers = amd(case, product)
                self.assert_good("sevsnp", case, ["vek", "ca_chain", "crl"], collect=extra)
                self.assertEqual(self.assert_forecast("sevsnp", case)["because"]["item"], "crl")
                shutil.rmtree(self.to)

    def test_a_clouds_key_is_not_asked_for(self):
        case = case_of("sevsnp", "milan_v3_vlek_aws_trustee")
        self.server.answers = amd(case, "Milan")
        vek = f"vek={CORPUS / case['collateral']['vek']}"
        self.assert_good("sevsnp", case, ["ca_chain", "crl"], "--collateral", vek)
        self.assertFalse(any(path.startswith("/vcek/v1/Milan/0") or "SPL" in path for path in self.server.requests))

    def test_a_report_that_does_not_say_its_product_needs_it_said(self):
        case = case_of("sevsnp", "milan_v2_trustee")
        done = self.collect("sevsnp", case)
        self.assertEqual(done.returncode, 2)
        self.assertIn("name it (Milan, Genoa or Turin)", done.stderr)
        self.assertEqual(self.collect("sevsnp", case, "--product", "Rome").returncode, 2)
        self.assertEqual(self.server.requests, [])

    def test_a_token_verifies_with_the_keys_that_were_collected(self):
        case = case_of("confidential_space", "flare_oidc_sev_debug")
        path = "/service_accounts/v1/metadata/jwk/signer@confidentialspace-sign.iam.gserviceaccount.com"
        self.server.answers = {path: (item(case, "jwks"), {})}
        self.assert_good("confidential_space", case, ["jwks"])
        self.assertEqual(self.assert_forecast("confidential_space", case)["because"]["what"], "exp")

    def test_keys_are_not_taken_in_clear_text(self):
        case = case_of("confidential_space", "flare_oidc_sev_debug")
        self.clear.answers = {
            "/service_accounts/v1/metadata/jwk/signer@confidentialspace-sign.iam.gserviceaccount.com":
                (item(case, "jwks"), {})}
        done = self.collect("confidential_space", case, url=self.clear.url)
        self.assertEqual(done.returncode, 2)
        self.assertIn("comes over https only", done.stderr)
        self.assertFalse(self.to.exists())
        self.assertEqual(self.clear.requests, [])

    def test_what_a_vendor_signed_may_come_in_clear_text(self):
        case = case_of("sevsnp", "milan_v3_oak_release")
        self.clear.answers = amd(case, "Milan")
        self.assertEqual(self.collect("sevsnp", case, url=self.clear.url).returncode, 0)

    def test_a_gpus_report_verifies_with_the_manifests_that_were_collected(self):
        case = case_of("nvidia", "h100_550_90_07")
        self.server.answers = nvidia(case)
        chain = f"chain={CORPUS / case['collateral']['chain']}"
        self.assert_good("nvidia", case, ["driver_rim", "vbios_rim"], "--collateral", chain)
        self.assertIn("rim", self.assert_forecast("nvidia", case, "--collateral", chain)["because"]["item"])

    def test_the_remote_services_tokens_verify_with_the_keys_that_were_collected(self):
        case = case_of("nvidia", "nras_tinfoil_h100_20260629")
        self.server.answers = {"/.well-known/jwks.json": (item(case, "jwks"), {})}
        self.assert_good("nvidia", case, ["jwks"])

    def test_evidence_that_brings_everything_needs_nothing(self):
        case = case_of("nitro", "base_20241130")
        done = self.collect("nitro", case)
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertIn("nothing is needed", done.stderr)
        self.assertEqual(json.loads((self.to / "collateral.json").read_text())["items"], [])

    def test_each_bad_answer_leaves_what_was_there_as_it_was(self):
        case = case_of("tdx", "tdx_v5_gotdxguest_90c06f@20260406")
        self.server.answers = intel(case)
        self.assertEqual(self.collect("tdx", case).returncode, 0)
        before = {path.name: path.read_bytes() for path in self.to.iterdir()}
        expected = {"missing": "does not give it (HTTP status) (404)", "moved": "(HTTP status) (302)",
                    "huge": "larger than its bound", "cut": "ended before the answer was complete",
                    "short": "collateral-item", "garbage": "collateral-item"}
        paths = list(self.server.answers)
        # Each manner at the last request, when all else is there already; and one manner at each of the others.
        for path, manner in [(paths[-1], manner) for manner in expected] + [(path, "short") for path in paths[:-1]]:
            with self.subTest(f"{manner} {path}"):
                self.server.manners = {path: manner}
                done = self.collect("tdx", case)
                self.assertEqual(done.returncode, 2)
                self.assertIn(expected[manner], done.stderr)
                self.assertIn(self.server.url + path, done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertNotIn("\x1b", done.stderr)
                self.assertEqual(done.stdout, "")
                self.assertEqual({path.name: path.read_bytes() for path in self.to.iterdir()}, before)

    def test_a_header_that_is_missing_or_twisted_is_refused(self):
        case = case_of("tdx", "tdx_v5_gotdxguest_90c06f@20260406")
        self.server.answers = intel(case)
        for path in list(self.server.answers)[0::2]:  # those of TCB info and of the PCK's list
            for manner, words in (("bare", "lacks the header"), ("twisted", "not URL-escaped")):
                self.server.manners = {path: manner}
                done = self.collect("tdx", case)
                self.assertEqual(done.returncode, 2)
                self.assertIn(words, done.stderr)
        self.assertFalse(self.to.exists())

    def test_a_manifest_that_is_not_in_its_json_is_refused(self):
        case = case_of("nvidia", "h100_550_90_07")
        for body in (b"{}", b'{"rim":"***"}', b'{"rim":"PHhtbD4="}', item(case, "driver_rim")):
            self.server.answers = {path: (body, {}) for path in nvidia(case)}
            self.assertEqual(self.collect("nvidia", case).returncode, 2)
        self.assertFalse(self.to.exists())

    def test_a_server_that_is_not_there_or_not_itself_is_an_error(self):
        case = case_of("sevsnp", "milan_v3_oak_release")
        done = self.collect("sevsnp", case, url="https://localhost:1")
        self.assertEqual(done.returncode, 2)
        self.assertIn("connect-failed", done.stderr)
        stranger = dict(self.environment)
        del stranger["SSL_CERT_FILE"]  # the machine's own trust store does not know our server
        done = self.collect("sevsnp", case, environment=stranger)
        self.assertEqual(done.returncode, 2)
        self.assertIn("tls-failed", done.stderr)
        self.assertEqual(self.collect("sevsnp", case, url="ftp://localhost").returncode, 2)
        self.assertFalse(self.to.exists())

    def test_what_is_no_evidence_is_asked_nobody_about(self):
        case = dict(case_of("sevsnp", "milan_v3_oak_release"), evidence="README.md")
        for kind in ("tdx", "sevsnp", "confidential_space", "nvidia"):
            self.assertEqual(self.collect(kind, case).returncode, 2, kind)
        self.assertEqual(self.collect("local", case).returncode, 2)
        self.assertEqual(self.server.requests, [])
        self.assertFalse(self.to.exists())

    def test_raw_evidence_of_every_kind_is_shown_as_unverified(self):
        for kind, name, field in (("tdx", "tdx_v5_gotdxguest_90c06f@20260406", "mrtd"),
                                  ("tdx", "sgx_v3_dcapqvl_00a067@20240910", "mr_enclave"),
                                  ("sevsnp", "milan_v3_oak_release", "measurement"),
                                  ("nitro", "base_20241130", "pcrs"),
                                  ("confidential_space", "oak_pki_tdx_prod", "hwmodel"),
                                  ("tpm", "swtpm_alpha_ecc", None),
                                  ("nvidia", "h100_550_90_07", "driver_version"),
                                  ("nvidia", "nras_tinfoil_h100_20260629", "overall_claims")):
            with self.subTest(name):
                evidence = CORPUS / case_of(kind, name)["evidence"]
                done = self.run_program("show", evidence, "--kind", kind, "--json")
                self.assertEqual(done.returncode, 0, done.stderr)
                shown = json.loads(done.stdout)
                self.assertIs(shown["verified"], False)
                self.assertEqual(shown["kind"], kind)
                fields = shown["evidence"]["fields"]
                self.assertTrue(fields if field is None else fields[field], fields)
                text = self.run_program("show", evidence, "--kind", kind).stdout
                self.assertTrue(text.startswith("UNVERIFIED"))
        done = self.run_program("show", CORPUS / "README.md", "--kind", "tdx")
        self.assertEqual(done.returncode, 2)
        self.assertIn("error: ", done.stdout)
        self.assertEqual(self.run_program("show", CORPUS / "README.md", "--kind", "nosuch").returncode, 2)


if __name__ == "__main__":
    if PROGRAM is None:
        raise SystemExit("usage: test_collect.py PROGRAM")
    if not (CORPUS / "open").is_dir() or shutil.which("openssl") is None:
        print("skipped: no shared corpus, or no openssl")
        sys.exit(77)
    unittest.main()
