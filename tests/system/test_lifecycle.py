"""Lifecycle: epochs are renewed under load, SIGTERM drains, a second one stops; what the operator's port says."""

import json
import re
import signal
import time

from harness import BUNDLE, SANITIZED, SystemTest, cbor_decode, main, read_dossier, run, until
from raw_client import (CLOSE, DATA, GOAWAY, SETTINGS, STATEMENT, RawChannel, client_hello, embeddings_request,
                        read_frame)


class Epochs(SystemTest):
    serve = {"epoch.seconds": 1, "epoch.evidence_valid_seconds": 3}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.world.start()

    def binding(self, dossier):
        return cbor_decode(cbor_decode(dossier[BUNDLE])[3])

    def test_renewal_under_load(self):
        # Until three epochs were seen: channels get GOAWAY in the middle of it, and the load goes on on new ones.
        bindings, rounds = {}, 0
        while len(bindings) < 3:
            rounds += 1
            saved = self.world.path(f"load-{rounds}")
            count = 100 if SANITIZED else 400
            self.assert_load(self.world.infer("--count", count, "--channels", 4, "--concurrency", 16, "--save", saved,
                                              "--json"), count)
            dossiers = sorted(saved.iterdir())
            for path in dossiers:
                binding = self.binding(read_dossier(path))
                bindings[binding[8]] = binding
            self.assertEqual(run("verify", dossiers[-1], "--policy", self.world.policy).returncode, 0)
        self.assertEqual(len({binding[3] for binding in bindings.values()}), 1, "one process, one boot id")
        self.assertEqual(len({binding[9] for binding in bindings.values()}), len(bindings), "a channel key each")
        # With their last channels the epochs go; the newest one stays.
        self.server.wait_metric("connections", 0)
        self.server.wait_metric("epochs", 1)

    def test_a_channel_outlives_its_epochs_successor_and_ends_by_goaway(self):
        channel = RawChannel(self.server.address())
        self.addCleanup(channel.socket.close)
        channel.hear_until(SETTINGS)
        self.server.wait_metric("epochs", lambda alive: alive >= 2)
        channel.ask(embeddings_request(["the old epoch's channel still answers"]))
        self.assertEqual([channel.hear()[0] for _ in range(3)], [DATA, STATEMENT, STATEMENT])
        self.assertEqual(channel.hear()[:1], (GOAWAY,))
        self.assertEqual(channel.hear()[0], CLOSE)
        channel.closed_by_peer()
        self.server.wait_metric("epochs", 1)

    def test_fresh_evidence_while_epochs_change(self):
        for _ in range(5):
            done = self.world.infer("--fresh", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)


class Operator(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.world.start()

    def test_health_and_readiness(self):
        self.assertEqual(self.server.get("/healthz"), (200, "ok\n"))
        self.assertEqual(self.server.get("/readyz"), (200, "ready\n"))
        self.assertEqual(self.server.get("/nothing")[0], 404)

    def test_metrics_are_prometheus_text_without_labels_of_users(self):
        self.assert_serves(3)
        text = self.server.get("/metrics")[1]
        for line in text.splitlines():
            self.assertRegex(line, r'^# (HELP|TYPE) eml_\w+ .+$|^eml_\w+(\{le="[0-9.+Inf]+"\})? [0-9.e+-]+$')
        kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M))
        self.assertEqual(kinds["eml_requests_total"], "counter")
        self.assertEqual(kinds["eml_request_seconds"], "histogram")
        metrics = self.server.metrics()
        self.assertGreaterEqual(metrics["eml_requests_total"], 3)
        self.assertEqual(metrics["eml_request_seconds_count"], metrics["eml_requests_total"])

    def test_requests_are_counted(self):
        before = self.server.metrics()
        self.assert_serves(5, text="five requests")
        after = self.server.metrics()
        for name, more in (("requests_total", 5), ("channels_total", 1), ("connections_total", 1),
                           ("refusals_total", 0), ("resets_total", 0), ("handshakes_failed_total", 0)):
            self.assertEqual(after["eml_" + name] - before["eml_" + name], more, name)


class Stop(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.start_broker()

    def setUp(self):
        self.server = self.world.start_server(name=self._testMethodName)

    def test_without_work_it_ends_at_once(self):
        self.server.signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(), 0)

    def test_the_operator_may_interrupt_it_as_well(self):
        self.server.signal(signal.SIGINT)
        self.assertEqual(self.server.wait(), 0)

    def test_requests_in_flight_finish_with_receipts(self):
        # Enough work that it is still under way when the signal comes.
        channel = RawChannel(self.server.address())
        self.addCleanup(channel.socket.close)
        channel.hear_until(SETTINGS)
        for _ in range(8):
            channel.ask(embeddings_request(["a longer text, of a dozen tokens or so, of the system test"] * 32))
        channel.ask(embeddings_request(["last"]))
        # The first answer shows that all of them were taken in: they came in one go.
        self.assertEqual(channel.hear()[0], DATA)
        self.server.signal(signal.SIGTERM)
        until(lambda: "draining" in self.server.err(), "the server to drain")
        records = []
        while not records or records[-1][0] != CLOSE:
            records.append(channel.hear())
        kinds = [record[0] for record in records]
        self.assertEqual(kinds.count(GOAWAY), 1)
        self.assertEqual(kinds.count(STATEMENT), 2 * 9)
        channel.closed_by_peer()
        self.assertEqual(self.server.wait(30), 0)
        self.assertIn("stopped", self.server.err())

    def test_not_ready_while_it_drains(self):
        channel = RawChannel(self.server.address())
        self.addCleanup(channel.socket.close)
        channel.hear_until(SETTINGS)
        channel.ask(embeddings_request(["never whole"])[:40], end=False)
        self.server.wait_metric("connections", 1)
        self.server.signal(signal.SIGTERM)
        until(lambda: self.server.get("/readyz") == (503, "not ready\n"), "readyz to say no")
        self.assertEqual(self.server.get("/healthz")[0], 200)
        with self.assertRaises(OSError):  # nobody is let in
            RawChannel(self.server.address())
        self.server.signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(), 0)

    def test_a_second_signal_stops_at_once(self):
        channel = RawChannel(self.server.address())
        self.addCleanup(channel.socket.close)
        channel.hear_until(SETTINGS)
        channel.ask(embeddings_request(["never whole"])[:40], end=False)
        hello = self.server.connect()
        self.addCleanup(hello.close)
        hello.sendall(client_hello())
        read_frame(hello)
        self.server.signal(signal.SIGTERM)
        until(lambda: "draining" in self.server.err(), "the server to drain")
        self.assertTrue(self.server.alive())
        begun = time.monotonic()
        self.server.signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(), 0)
        self.assertLess(time.monotonic() - begun, 25, "it went on draining")
        self.assertIn("second signal", self.server.err())

    def test_clients_that_hold_on_are_left_after_the_time_for_it(self):
        self.server.stop()
        self.server = self.world.start_server(name="short", limits__drain_seconds=1)
        channel = RawChannel(self.server.address())
        self.addCleanup(channel.socket.close)
        channel.hear_until(SETTINGS)
        channel.ask(embeddings_request(["never whole"])[:40], end=False)
        self.server.wait_metric("connections", 1)
        self.server.signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(30), 0)

    def test_a_load_that_meets_the_end_says_so(self):
        load = self.world.infer_in_background("load-at-the-end", "--count", 1_000_000, "--concurrency", 8, "--json")
        self.server.wait_metric("requests_total", lambda count: count > 20)
        self.server.signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(35), 0)
        self.assertNotEqual(load.wait(), 0)
        said = json.loads(load.out())
        self.assertTrue(said["sequences_complete"])
        self.assertGreater(said["failures"], 0)


if __name__ == "__main__":
    main()
