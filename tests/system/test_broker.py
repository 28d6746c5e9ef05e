"""The key broker from outside: down, slow, lying, refusing; its log under kills; ports that are taken."""

import contextlib
import hashlib
import http.client
import json
import random
import socket
import threading

from harness import PATIENCE, Process, SystemTest, cbor_decode, cbor_encode, flip, main, must, run, until


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class FakeBroker:
    """Listens and answers every request with what `answer(path, body)` gives: raw bytes, or None for silence."""

    def __init__(self, answer):
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.at = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.held, self.asked = [], threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.held.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError, ValueError):
            stream = connection.makefile("rb")
            path = stream.readline().split()[1].decode()
            size = 0
            while (line := stream.readline().strip()):
                if line.lower().startswith(b"content-length:"):
                    size = int(line.split(b":")[1])
            body = stream.read(size)
            self.asked.set()
            answer = self.answer(path, body)
            if answer is not None:
                connection.sendall(answer)
                stream.close()
                connection.shutdown(socket.SHUT_RDWR)
                connection.close()

    def close(self):
        self.listener.close()
        for connection in self.held:
            connection.close()


def reply(status, body, kind="application/octet-stream"):
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


def call(at, path, body):
    connection = http.client.HTTPConnection(at, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request("POST", path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()


class ServerTest(SystemTest):
    """A server that gets no key says so in one line, ends with non-zero, and was never to be reached."""

    IS_IT_RUNNING = "Is the broker running, and is keys.broker its address?"

    def start(self, broker, **settings):
        port = free_port()
        arguments = ["serve", "--config", self.world.serve_config, "--json", "--set", f"server.listen=127.0.0.1:{port}",
                     "--set", f"keys.broker=http://{broker}"]
        for key, value in settings.items():
            arguments += ["--set", f"{key.replace('__', '.')}={value}"]
        server = self.world.add(Process(self.world.directory, self._testMethodName, arguments))
        server.port = port
        return server

    def nobody_listens(self, server):
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)

    def assert_failed(self, server, status, code, hint=None):
        self.assertEqual((server.wait(), server.out()), (status, ""))
        lines = [line for line in server.err().splitlines() if line and not line.startswith("*")]
        self.assertTrue(lines[0].startswith("ephemeralml: broker 127.0.0.1:"), lines)
        self.assertTrue(lines[0].endswith(f"[{code}]"), lines)
        self.assertEqual(lines[1:], [hint] if hint else [])
        self.nobody_listens(server)

    def fake(self, answer):
        broker = FakeBroker(answer)
        self.addCleanup(broker.close)
        return broker


class ServerWithoutKey(ServerTest):
    def test_the_broker_is_down(self):
        self.assert_failed(self.start(f"127.0.0.1:{free_port()}"), 2, "connect-failed", self.IS_IT_RUNNING)

    def test_the_broker_is_slow(self):
        broker = self.fake(lambda path, body: None)
        server = self.start(broker.at)
        broker.asked.wait(PATIENCE)
        self.nobody_listens(server)
        self.assert_failed(server, 2, "net-timeout", self.IS_IT_RUNNING)

    def test_the_broker_answers_rubbish(self):
        for answer in (
            b"",
            b"\0" * 1000,
            b"SSH-2.0-OpenSSH_9.2\r\n",
            reply(200, b""),
            reply(200, bytes(31)),
            reply(200, bytes(33)),
            reply(200, b"<html>Welcome to this network</html>", "text/html"),
            reply(302, b"elsewhere"),
            reply(500, b"sorry"),
            reply(429, b"later"),
            b"HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\nshort",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
        ):
            with self.subTest(answer=answer[:60]):
                server = self.start(self.fake(lambda path, body, answer=answer: answer).at)
                self.assertNotEqual(server.wait(), 0)
                self.assertIn("ephemeralml: broker 127.0.0.1:", server.err())
                self.nobody_listens(server)

    def test_the_release_is_rubbish(self):
        for status, body in ((200, b""), (200, b"\xd2\x84"), (200, bytes(1000)), (403, b"no"), (503, b"no log"),
                             (200, bytes(100_000))):
            def answer(path, _, status=status, body=body):
                return reply(200, bytes(32)) if path == "/v1/challenge" else reply(status, body, "application/cose")

            with self.subTest(status=status, size=len(body)):
                server = self.start(self.fake(answer).at)
                self.assertNotEqual(server.wait(), 0)
                self.assertIn("ephemeralml: broker 127.0.0.1:", server.err())
                self.nobody_listens(server)


class Lies(ServerTest):
    """With a real broker behind a man in the middle."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.start_broker()

    def through(self, change):
        """A relay that changes the answer to a release with change(answer)."""

        def answer(path, body):
            status, content = call(self.world.broker.at, path, body)
            return reply(status, change(content) if path == "/v1/release" else content, "application/cose")

        return self.start(self.fake(answer).at)

    def test_relayed_unchanged_it_works(self):
        server = self.through(lambda content: content)
        self.assertIn("server", server.ready())
        self.assertEqual(server.stop(), 0)

    def test_a_flipped_byte(self):
        for at in (0, 40, 300, -1):
            server = self.through(lambda content, at=at: flip(content, at))
            self.assertNotEqual(server.wait(), 0)
            self.nobody_listens(server)

    def test_an_old_answer(self):
        kept = []
        server = self.through(lambda content: kept.append(content) or content)
        server.ready()
        server.stop()
        self.assert_failed(self.through(lambda content: kept[0]), 1, "release-answer-nonce")

    def test_another_brokers_key(self):
        server = self.start(self.world.broker.at, keys__broker_key=self.world.policy_owner)
        self.assert_failed(server, 1, "signature-invalid")

    def test_another_configuration_is_refused(self):
        server = self.start(self.world.broker.at, server__log_level="debug")
        self.assert_failed(server, 1, "release-refused",
                           "The broker refused to release the model's key to this server.")
        self.assertIn("rule policy-no-entry", server.err())
        last = json.loads(self.world.path("release.log").read_text().splitlines()[-1])
        self.assertEqual((last["decision"], last["rule"]), ("refused", "policy-no-entry"))
        self.assertIn("configuration", last["detail"])


class Log(SystemTest):
    def setUp(self):
        self.log = self.world.path("release.log")
        if self.log.exists():
            self.log.unlink()

    def verify(self):
        return run("broker", "--config", self.world.broker_config, "--verify-log")

    def refused_start(self, *arguments):
        done = run("broker", "--config", self.world.broker_config, "--json", *arguments)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def start(self, *arguments):
        return self.world.start_broker(*arguments)

    def refusals(self, at, stop, answered):
        """Asks for keys that are not given until the broker is gone; keeps the positions that it answered with."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            while not stop.is_set():
                _, nonce = call(at, "/v1/challenge", b"")
                status, statement = call(at, "/v1/release", cbor_encode({1: nonce, 2: b"no bundle", 3: b"no key"}))
                if status == 403:
                    said = cbor_decode(cbor_decode(statement).value[2])
                    answered.append((said["log_seq"], said["log_hash"]))

    def test_it_survives_a_kill_at_any_moment(self):
        answered, chance, torn = [], random.Random(1), False
        for _ in range(8):
            broker = self.start(*(["--accept-torn-log"] if torn else []))
            stop, size = threading.Event(), self.log.stat().st_size
            threads = [threading.Thread(target=self.refusals, args=(broker.at, stop, answered)) for _ in range(4)]
            for thread in threads:
                thread.start()
            more = chance.randrange(1, 8000)
            until(lambda: self.log.stat().st_size >= size + more, "the log to grow")
            broker.kill()
            stop.set()
            for thread in threads:
                thread.join()
            checked = self.verify()
            torn = checked.returncode == 1
            self.assertIn(checked.returncode, (0, 1), checked.stderr)
            self.assertEqual("torn" in checked.stdout, torn)
        # What was answered had been written before: nobody has a statement that the log does not know.
        lines = self.log.read_bytes().split(b"\n")
        self.assertGreater(len(answered), 20)
        for number, digest in answered:
            self.assertEqual(hashlib.sha256(lines[number]).digest(), digest)

    def test_a_torn_tail_is_said_and_kept(self):
        self.start().stop()
        whole = self.log.read_bytes()
        self.start().stop()
        self.log.write_bytes(self.log.read_bytes()[:-7])
        tail = self.log.read_bytes()[len(whole):]
        checked = self.verify()
        self.assertEqual(checked.returncode, 1)
        self.assertIn(f"torn: {len(tail)} bytes", checked.stdout)
        said = self.refused_start()
        self.assertIn("[release-log-torn]", said)
        self.assertIn("--accept-torn-log", said)
        self.assertEqual(self.log.read_bytes(), whole + tail, "repaired in silence")
        self.start("--accept-torn-log").stop()
        self.assertEqual(self.verify().returncode, 0)
        self.assertTrue(self.log.read_bytes().startswith(whole))
        self.assertEqual(bytes.fromhex(json.loads(self.log.read_text().splitlines()[1])["bytes"]), tail)

    def test_damage_is_never_accepted(self):
        self.start().stop()
        self.start().stop()
        self.log.write_bytes(flip(self.log.read_bytes(), 60))
        checked = self.verify()
        self.assertEqual(checked.returncode, 1)
        self.assertIn("[release-log-broken]", checked.stderr)
        self.assertIn("[release-log-broken]", self.refused_start("--accept-torn-log"))

    def test_one_broker_at_a_time_holds_it(self):
        self.start()
        self.addCleanup(self.world.broker.stop)
        self.assertIn("[release-log-busy]", self.refused_start())

    def test_the_policys_serial_never_falls(self):
        self.start().stop()
        self.start().stop()  # the same one again
        policy = self.world.path("policy.json")
        first = policy.read_bytes()
        draft = json.loads(first)
        draft["serial"] = 2
        del draft["signatures"]
        self.world.path("draft.json").write_text(json.dumps(draft))
        must("policy", "sign", self.world.path("draft.json"), "--key", self.world.path("policy.key"), "--to",
             self.world.path("second.json"))
        self.world.path("second.json").replace(policy)
        self.start().stop()
        policy.write_bytes(first)
        self.assertIn("[policy-serial]", self.refused_start())

    def test_a_policy_that_nobody_signed(self):
        policy = self.world.path("policy.json")
        signed = policy.read_bytes()
        self.addCleanup(policy.write_bytes, signed)
        for changed in (signed.replace(b'"serial": 1', b'"serial": 3'), b"", b"{}", b"\xff\xfe", signed[:-20]):
            policy.write_bytes(changed)
            self.assertIn("policy.json", self.refused_start())


class Ports(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.start_broker()

    def setUp(self):
        self.taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.taken.close)
        self.at = "127.0.0.1:%d" % self.taken.getsockname()[1]

    def assert_taken(self, status, said):
        lines = [line for line in said.splitlines() if line and not line.startswith("*")]
        self.assertEqual(status, 2)
        self.assertTrue(lines[0].startswith(f"ephemeralml: {self.at}: "), lines)
        self.assertTrue(lines[0].endswith("[listen-failed]"), lines)
        self.assertIn("in use", lines[0])

    def test_of_the_server(self):
        for key in ("server.listen", "server.metrics"):
            done = run("serve", *self.world.serve_arguments(), "--json", "--set", f"{key}={self.at}")
            self.assertEqual(done.stdout, "")
            self.assert_taken(done.returncode, done.stderr)

    def test_of_the_broker(self):
        text = self.world.broker_config.read_text().replace("127.0.0.1:0", self.at)
        config = self.world.path("taken.toml")
        config.write_text(text.replace("release.log", "other.log"))
        done = run("broker", "--config", config, "--json")
        self.assertEqual(done.stdout, "")
        self.assert_taken(done.returncode, done.stderr)


if __name__ == "__main__":
    main()
