"""Bad input of every kind, through a real server: each is answered with the status that it deserves and a signed
reason, and the server goes on."""

import json
import os
import re
import resource
import shutil
import struct
import subprocess

from harness import (SANITIZED, SystemTest, claims, main, model_directory, must, run)
from raw_client import DATA, RESET, STATEMENT, RawChannel, embeddings_request, http_request

MODEL = "all-minilm-l6-v2"
TEXTS_MAX = 2048
REQUEST_BYTES = 1 << 18


def body(text_json, **members):
    others = json.dumps({"model": MODEL, "encoding_format": "base64", **members})
    return others[:-1].encode() + b',"input":' + text_json + b"}"


class BadInput(SystemTest):
    serve = {"limits.request_bytes": REQUEST_BYTES}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.world.start()

    def setUp(self):
        self.channel = RawChannel(self.server.address())
        self.addCleanup(self.channel.socket.close)

    def tearDown(self):
        self.assertTrue(self.server.alive())
        self.assert_serves(2)

    def answer(self, message):
        """Status, body and statements of the answer to one Binary HTTP message."""
        stream, content, statements, status = self.channel.ask(message), b"", [], None
        while True:
            kind, flags, of, payload = self.channel.hear()
            if of != stream:
                continue
            self.assertNotEqual(kind, RESET)
            if kind == DATA:
                content += payload
                if flags & 1:
                    status = struct.unpack(">H", content[1:3])[0] & 0x3FFF
            elif kind == STATEMENT:
                statements.append(payload)
                if flags & 1:
                    return status, content, [claims(statement) for statement in statements]

    def assert_refused(self, message, status, reason):
        got, content, statements = self.answer(message)
        self.assertEqual(got, status, content)
        self.assertEqual([(one["status"], one["reason"]) for one in statements], [(status, reason)])
        self.assertIn(f'"code":"{reason}"'.encode(), content)
        return content.decode(errors="replace")

    def assert_embedded(self, texts, tokens=None):
        status, content, statements = self.answer(embeddings_request(texts))
        self.assertEqual(status, 200, content[:200])
        self.assertEqual(len(statements), 2)
        if tokens is not None:
            self.assertIn(f'"prompt_tokens":{tokens},'.encode(), content)

    def post(self, content):
        return http_request("POST", "/v1/embeddings", content)

    def test_bytes_that_are_no_utf8(self):
        for bad in (b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"a\xf4\x90\x80\x80"', b'["fine","\x80"]'):
            self.assert_refused(self.post(body(bad)), 400, "json-syntax")

    def test_half_a_surrogate(self):
        for bad in (rb'"\ud800"', rb'"\udc00\ud800"', rb'"\ud83d"'):
            self.assert_refused(self.post(body(bad)), 400, "json-syntax")

    def test_more_texts_than_a_request_may_have(self):
        many = json.dumps(["a"] * 8192).encode()
        said = self.assert_refused(self.post(body(many)), 400, "api-too-many-inputs")
        self.assertIn(str(TEXTS_MAX), said)  # the limit is stated
        just_too_many = json.dumps(["a"] * (TEXTS_MAX + 1)).encode()
        self.assert_refused(self.post(body(just_too_many)), 400, "api-too-many-inputs")

    def test_as_many_texts_as_a_request_may_have(self):
        self.assert_embedded(["a"] * TEXTS_MAX, tokens=3 * TEXTS_MAX)

    def test_one_code_point(self):
        for point, tokens in (("a", 3), ("\u4e00", 3), ("\U0010ffff", None), ("\0", 2), ("", 2), ("\u200b", 2),
                              ("\ufeff", 2), ("\ufffd", 2)):
            self.assert_embedded([point], tokens)

    def test_only_combining_marks(self):
        self.assert_embedded(["\u0301" * 5000], tokens=2)  # stripped, all of them
        self.assert_embedded(["\u302e" * 5000], tokens=3)  # not stripped: one word that is too long
        self.assert_embedded(["\u0e31\u0f71\u0344" * 3000])

    def test_a_text_that_is_far_too_long_is_cut(self):
        self.assert_embedded(["word " * 20_000], tokens=256)
        self.assert_embedded(["a" * 100_000], tokens=3)

    def test_a_request_over_its_bytes(self):
        # A text of 10 MB: the server says so as soon as it knows, and reads no more of it.
        message = embeddings_request(["x" * 10_000_000])
        pieces = [message[i : i + 16374] for i in range(0, 2 * REQUEST_BYTES, 16374)]
        for piece in pieces:
            self.channel.say(DATA, 0, 1, piece)
        kind, flags, stream, payload = self.channel.hear_until(DATA)
        self.assertEqual((flags & 1, stream), (1, 1))
        self.assertEqual(struct.unpack(">H", payload[1:3])[0] & 0x3FFF, 413)

    def test_bodies_that_are_no_request(self):
        for content, reason in ((b"", "json-syntax"), (b"[]", "api-bad-request"), (b"{}", "json-missing-member"),
                                (body(b"7"), "api-bad-request"), (body(b"[]"), "api-bad-request"),
                                (body(b'["a",null]'), "api-bad-request"), (b"[" * 10_000, "json-too-deep"),
                                (body(b'"a"', dimensions=7), "api-bad-request"),
                                (body(b'"a"', stream=True), "api-bad-request"), (b"\xef\xbb\xbf{}", "json-syntax")):
            self.assert_refused(self.post(content), 400, reason)
        self.assert_refused(self.post(body(b'"a"').replace(MODEL.encode(), b"gpt")), 404, "api-unknown-model")


class BadModel(SystemTest):
    """Models that load nowhere: each refused with its reason, never by a signal."""

    def model(self, name, change):
        directory = self.world.path(name)
        directory.mkdir()
        self.addCleanup(shutil.rmtree, directory)
        for file in ("config.json", "tokenizer.json"):
            shutil.copyfile(model_directory() / file, directory / file)
        os.symlink(model_directory() / "model.safetensors", directory / "model.safetensors")
        change(directory)
        return directory

    def assert_refused(self, name, change, reason):
        done = run("embed", "--model", self.model(name, change), input="")
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertRegex(done.stderr, rf"^ephemeralml: .*\[{reason}\]\n$")

    def weights(self, change):
        """The weights with another header, or other bytes behind it."""

        def write(directory):
            whole = bytearray((model_directory() / "model.safetensors").read_bytes())
            size = struct.unpack("<Q", whole[:8])[0]
            header = json.loads(whole[8 : 8 + size])
            header = change(header, whole) or header
            text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
            path = directory / "model.safetensors"
            path.unlink()
            path.write_bytes(struct.pack("<Q", len(text)) + text + whole[8 + size :])

        return write

    def test_headers_of_weights(self):
        bias = "encoder.layer.0.attention.output.dense.bias"

        def shape(header, _):
            header[bias]["shape"] = [192, 2]

        def offsets(header, _):
            header[bias]["data_offsets"] = [2**53 - 1537, 2**53 - 1]

        def overlap(header, _):
            header[bias]["data_offsets"] = [at + 4 for at in header[bias]["data_offsets"]]

        def missing(header, _):
            header["another"] = header.pop(bias)

        def twice(header, _):
            text = json.dumps(header)
            return (text[:-1] + "," + json.dumps({bias: header[bias]})[1:]).encode()

        for name, change, reason in (("shape", shape, "weights-shape"), ("offsets", offsets, "safetensors-offsets"),
                                     ("overlap", overlap, "safetensors-offsets"),
                                     ("missing", missing, "safetensors-tensor-missing"),
                                     ("twice", twice, "json-duplicate-name")):
            self.assert_refused(name, self.weights(change), reason)

    def test_values_of_weights(self):
        for name, bits in (("nan", 0x7FC00000), ("signalling", 0x7F800001), ("infinity", 0xFF800000)):

            def put(header, whole, bits=bits):
                size = struct.unpack("<Q", whole[:8])[0]
                begin = header["encoder.layer.5.output.dense.weight"]["data_offsets"][0]
                struct.pack_into("<I", whole, 8 + size + begin + 400, bits)

            self.assert_refused(name, self.weights(put), "weights-not-finite")

    def test_a_header_of_2_to_63_bytes(self):
        def huge(directory):
            path = directory / "model.safetensors"
            path.unlink()
            path.write_bytes(struct.pack("<Q", 1 << 63) + b"{}" + bytes(1000))

        self.assert_refused("huge", huge, "safetensors-header-size")

    def test_configurations(self):
        for name, member, value, reason in (
                ("layers", "num_hidden_layers", 10**9, "model-config-range"),
                ("all-layers", "num_hidden_layers", 48, "safetensors-tensor-missing"),
                ("width", "hidden_size", 2**52, "model-config-range"),
                ("wider", "hidden_size", 768, "weights-shape"),
                ("negative", "intermediate_size", -1, "model-config-malformed"),
                ("activation", "hidden_act", "swish", "model-config-unsupported"),
                ("heads", "num_attention_heads", 7, "model-config-malformed"),
                ("positions", "max_position_embeddings", 0, "model-config-range"),
                ("vocabulary", "vocab_size", 2**31, "model-config-range")):

            def change(directory, member=member, value=value):
                config = json.loads((directory / "config.json").read_text())
                config[member] = value
                (directory / "config.json").write_text(json.dumps(config))

            self.assert_refused(name, change, reason)

    def test_memory_that_is_not_there(self):
        if SANITIZED:
            self.skipTest("a sanitizer maps terabytes")

        def limited(megabytes):
            return lambda: resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))

        self.world.start_broker()
        embed, serve = ["embed", "--model", model_directory()], ["serve", "--json", *self.world.serve_arguments()]
        seen = set()
        for command in (embed, serve):
            for megabytes in range(20, 400, 20):
                try:
                    done = run(*command, input='{"text":"a"}\n', preexec_fn=limited(megabytes), timeout=20)
                except subprocess.TimeoutExpired:
                    break  # it serves
                self.assertIn(done.returncode, (0, 2, 127), f"{megabytes} MB: {done.returncode} {done.stderr}")
                if done.returncode == 0:
                    break  # enough
                last = done.stderr.splitlines()[-1]
                if done.returncode == 2:  # 127: the loader's own, before there is a program
                    self.assertRegex(last, r"^ephemeralml: .*(memory|threads).*\[[a-z-]+\]$")
                    seen.add(re.sub(r".*\[(.*)\]", r"\1", last))
        self.assertTrue(seen)


if __name__ == "__main__":
    main()
