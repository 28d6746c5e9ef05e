"""Secrecy: what a user wrote is in no log, no metric, no file but his own dossier, and not in the server's memory once
it is answered. No process of ours can be dumped or traced; keys are in locked memory and in files of their owner only."""

import contextlib
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile
import unittest

from harness import PROGRAM, SANITIZED, SystemTest, main, read_dossier, run, until
from raw_client import CLOSE, RESET, SETTINGS, RawChannel, embeddings_request, http_request

CANARY = "zebrafish quartz 7391"
WORDS = ("zebrafish", "quartz", "7391")


def memory_hits(pid, needle):
    """How often the bytes are in the memory of a process; None if it cannot be read."""
    hits = 0
    try:
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
            for line in maps:
                span, rights = line.split()[:2]
                begin, end = (int(part, 16) for part in span.split("-"))
                if "r" not in rights or end - begin > 8 << 30 or "[v" in line:
                    continue  # a sanitizer's shadow, or the kernel's
                with contextlib.suppress(OSError, ValueError):
                    memory.seek(begin)
                    hits += memory.read(end - begin).count(needle)
    except PermissionError:
        return None
    return hits


class Secrecy(SystemTest):
    serve = {"server.log_level": "debug"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.world.start()

    def assert_nowhere(self, *but):
        """The user's words are in no file of this world but those, and in no metric."""
        self.assertEqual([word for word in WORDS if word in self.server.get("/metrics")[1]], [])
        kept = {pathlib.Path(path) for path in but}
        model = self.world.package
        files = [path for path in self.world.directory.rglob("*")
                 if path.is_file() and path not in kept and path.parent != model]
        self.assertTrue(any(path.name == "server.err" for path in files))
        self.assertTrue(any(path.name == "release.log" for path in files))
        for path in files:
            content = path.read_bytes()
            self.assertEqual([word for word in WORDS if word.encode() in content], [], path.name)

    def test_the_text_of_a_request(self):
        source = self.world.path("text")
        source.write_text(CANARY)
        self.addCleanup(source.unlink)
        for arguments, text in ((["--text", CANARY], None), (["--file", source], None), (["-"], CANARY)):
            options = {"input": text} if text else {}
            said = run(*self.world.infer_arguments(*arguments), **options)
            self.assertEqual(said.returncode, 0, said.stderr)
            for word in WORDS:
                self.assertNotIn(word, said.stdout + said.stderr)
        self.assert_nowhere(source)

    def test_requests_that_are_refused(self):
        channel = RawChannel(self.server.address())
        self.addCleanup(channel.socket.close)
        before = self.server.metric("refusals_total")
        text = CANARY.encode()
        messages = [
            text,  # no Binary HTTP
            http_request("POST", "/" + CANARY.replace(" ", "-"), b""),
            http_request(CANARY.split()[0].upper(), "/v1/embeddings", b""),
            http_request("POST", "/v1/embeddings", text),
            http_request("POST", "/v1/embeddings", b'{"' + text + b'": 1}'),
            http_request("POST", "/v1/embeddings", b'{"model": "all-minilm-l6-v2", "input": {"' + text + b'": []}}'),
            embeddings_request([CANARY], model=CANARY),
            embeddings_request([CANARY], encoding=CANARY),
            http_request("POST", "/eml/v1/attest", text),
        ]
        for message in messages:
            channel.ask(message)
        channel.say(CLOSE, 0, 0, b"\0\0")
        answers = []
        with contextlib.suppress(EOFError):
            while True:
                answers.append(channel.hear())
        self.assertEqual(self.server.metric("refusals_total") - before, len(messages))
        # The answers are the user's own; still they quote nothing.
        for answer in answers:
            self.assertNotIn(b"zebrafish", answer[3])
        self.assert_nowhere()

    def test_garbage_instead_of_a_handshake(self):
        for data in (CANARY.encode(), b"\0\0\0\x25\1" + CANARY.encode().ljust(37, b" ")):
            with self.server.connect() as connection, contextlib.suppress(ConnectionError):
                connection.sendall(data)
                connection.shutdown(1)
                while connection.recv(4096):
                    pass
        self.assert_nowhere()

    def test_a_dossier_is_its_owners(self):
        dossier = self.world.ask_for_dossier("kept", text=CANARY)
        self.addCleanup(dossier.unlink)
        self.assertIn(CANARY.encode(), read_dossier(dossier)[3])
        self.assertEqual(stat.S_IMODE(dossier.stat().st_mode), 0o600)
        self.assert_nowhere(dossier)

    def test_key_files_are_their_owners(self):
        keys = [path for path in self.world.directory.rglob("*.key")]
        self.assertGreaterEqual({path.name for path in keys},
                                {"broker.key", "local-root.key", "policy.key", "publisher.key"})
        for path in keys:
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path.name)

    def test_the_text_is_not_in_the_servers_memory(self):
        needle = CANARY.encode()
        if memory_hits(self.server.pid, needle) is None:
            raise unittest.SkipTest("this user may not read the server's memory")
        # That one can find it at all: an unfinished request is there.
        channel = RawChannel(self.server.address())
        self.addCleanup(channel.socket.close)
        channel.hear_until(SETTINGS)
        stream = channel.ask(embeddings_request([CANARY]), end=False)
        until(lambda: memory_hits(self.server.pid, needle) > 0, "the text to be in memory")
        channel.say(RESET, 0, stream, b"\0\1")
        channel.say(CLOSE, 0, 0, b"\0\0")
        channel.hear_until(CLOSE)
        channel.closed_by_peer()
        for arguments in (["--count", "20", "--concurrency", "8"], ["--format", "float"]):
            self.assertEqual(self.world.infer(*arguments, text=CANARY).returncode, 0)
        self.server.wait_metric("connections", 0)
        until(lambda: memory_hits(self.server.pid, needle) == 0, "the text to be gone", patience=10)
        self.assertEqual(memory_hits(self.server.pid, needle[:12]), 0)


class Hardened(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.world.start()

    def test_no_core_dumps(self):
        for process in (self.server, self.world.broker):
            limits = pathlib.Path(f"/proc/{process.pid}/limits").read_text()
            self.assertRegex(limits, r"(?m)^Max core file size +0 +0 ")

    def test_memory_for_keys_is_locked(self):
        if SANITIZED:
            raise unittest.SkipTest("sanitizers turn mlock off")
        self.assertGreater(self.server.status("VmLck"), 0)

    def test_nobody_may_trace_it(self):
        # The files in /proc of a process that cannot be dumped belong to root, whoever runs it.
        with tempfile.TemporaryDirectory(prefix="eml-system-") as directory:
            os.chmod(directory, 0o755)
            program, policy = pathlib.Path(directory) / "program", pathlib.Path(directory) / "policy.json"
            shutil.copy(PROGRAM, program)
            shutil.copy(self.world.policy, policy)
            os.chmod(program, 0o755)
            os.chmod(policy, 0o644)
            user = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
            # It waits for its text on standard input.
            command = [program, "infer", "--server", self.server.at, "--policy", policy, "-"]
            waiting = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, **user)
            try:
                uid = os.geteuid() or 65534
                status = pathlib.Path(f"/proc/{waiting.pid}/status")
                until(lambda: int(re.search(r"^Uid:\s+(\d+)", status.read_text(), re.M).group(1)) == uid, "its user")
                until(lambda: os.stat(f"/proc/{waiting.pid}/mem").st_uid == 0, "it to be closed to its own user")
                self.assertIsNone(waiting.poll())
            finally:
                waiting.kill()
                waiting.communicate()


if __name__ == "__main__":
    main()
