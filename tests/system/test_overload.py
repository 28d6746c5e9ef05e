"""Scheduling through the real server: what is more than it can do is refused at once and with a reason, nobody starves,
nothing is lost, and the memory stays as it was."""

import json
import pathlib
import struct

from harness import SANITIZED, SystemTest, claims, main, run
from raw_client import DATA, STATEMENT, RawChannel, embeddings_request

SCALE = 1 if SANITIZED else 10
QUEUE = 32  # where refusals are wanted
LONG = "The committee reviewed the annual budget and asked for a second opinion on the plan. " * 12
MIXED = [("word " * count).strip() for count in (1, 3, 5, 8, 13, 21, 34, 55, 89, 144, 200)]


class Scheduling(SystemTest):
    serve = {"limits.queue_requests": QUEUE, "limits.streams": 1024}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.world.start()
        cls.lines = cls.world.path("mixed.txt")
        cls.lines.write_text("\n".join(MIXED) + "\n")
        cls.world.infer("--count", 50, "--concurrency", 16, "--channels", 4)  # what the server allocates anyway

    def load(self, *arguments, text=None):
        texts = ["--lines", self.lines] if text is None else ["--text", text]
        done = run(*self.world.infer_arguments(*texts, *arguments, "--json"))
        self.assertTrue(done.stdout, done.stderr)
        return json.loads(done.stdout)

    def assert_nothing_lost(self, said, requests):
        """Each request was answered: with numbers and a receipt that verifies, or with 429 and a signed reason."""
        self.assertEqual((said["requests"], said["unanswered"]), (requests, 0))
        self.assertEqual(said["failures"], said["refused"], "a request failed otherwise than by 429")
        self.assertTrue(said["sequences_complete"])


class Fairness(Scheduling):
    # Whoever is refused here would be refused for the build's slowness under sanitizers.
    serve = {**Scheduling.serve, "limits.queue_requests": 256, "limits.queue_ms": 60_000}

    def assert_lone_client_is_served(self, *hog):
        """While the hog is at it, one request at a time is answered; each waits for a few of the hog's, not for all."""
        hog = self.world.infer_in_background("hog", "--count", 50_000 * SCALE, "--json", *hog, text=LONG)
        try:
            self.server.wait_metric("requests_total", lambda total: total > self.before + 20)
            begin = self.server.metric("requests_total")
            lone = self.world.infer("--count", 10, "--json")
            others = self.server.metric("requests_total") - begin
            self.assertTrue(hog.alive(), "the hog ended before: nothing was shown")
            self.assert_load(lone, 10)  # not one was refused
            # Starved, each of the ten would wait for the hundreds of the hog's that came before it.
            self.assertLess(others, 10 * 64)
        finally:
            hog.kill()
        self.server.wait_metric("connections", 0)

    def setUp(self):
        self.before = self.server.metric("requests_total")

    def test_a_thousand_in_flight_on_one_channel_do_not_starve_one(self):
        self.assert_lone_client_is_served("--concurrency", 1000)

    def test_a_thousand_in_flight_on_sixteen_channels_do_not_starve_one(self):
        self.assert_lone_client_is_served("--concurrency", 1000, "--channels", 16)


class MixedLengths(Scheduling):
    """A server of its own: one that has just refused others would go on with a short queue for a second."""

    serve = {**Scheduling.serve, "limits.queue_requests": 256, "limits.queue_ms": 60_000}

    def test_sixty_four_in_flight_over_sixteen_channels_of_mixed_lengths(self):
        count = 100 * SCALE
        saved = self.world.path("saved")
        done = run(*self.world.infer_arguments("--lines", self.lines, "--count", count, "--concurrency", 64,
                                               "--channels", 16, "--save", saved, "--json"))
        said = json.loads(done.stdout)
        self.assertEqual((done.returncode, said["failures"], said["sequences_complete"]), (0, 0, True), done.stderr)
        self.assertEqual(len(list(pathlib.Path(saved).iterdir())), count)


class Overload(Scheduling):
    def test_three_times_what_it_can_do(self):
        count = 60 * SCALE
        closed = self.load("--count", count, "--concurrency", 16, "--channels", 4)
        self.assert_nothing_lost(closed, count)
        self.assertEqual(closed["failures"], 0)
        memory = self.server.status("VmRSS")
        offered = 6 * count
        open_loop = self.load("--count", offered, "--channels", 4, "--rate", 3 * closed["rps"])
        self.assert_nothing_lost(open_loop, offered)
        self.assertGreater(open_loop["refused"], 0)
        self.assertGreater(offered - open_loop["refused"], count / 4)  # it goes on working meanwhile
        # At once: a refusal does not stand in the queue that it was refused.
        self.assertLess(open_loop["refused_p50_ms"], open_loop["p50_ms"])
        if not SANITIZED:
            self.assertLess(self.server.status("VmRSS"), memory + 32 * 1024)
        self.assert_serves(5)

    def test_a_refusal_says_when_to_come_back_and_is_signed(self):
        channel = RawChannel(self.server.address())
        self.addCleanup(channel.socket.close)
        message = embeddings_request([LONG] * 20)
        streams = [channel.ask(message) for _ in range(2 * QUEUE)]
        refused, content = {}, {}
        while set(content) | set(refused) != set(streams) or not refused:
            kind, _, stream, payload = channel.hear()
            if kind == DATA:
                content[stream] = content.get(stream, b"") + payload
            if kind == STATEMENT and "status" in claims(payload):
                refused[stream] = claims(payload)
        for stream, statement in refused.items():
            self.assertEqual((statement["status"], statement["reason"]), (429, "queue-full"))
            status = struct.unpack(">H", content[stream][1:3])[0] & 0x3FFF
            self.assertEqual(status, 429)
            self.assertRegex(content[stream], rb"retry-after.[1-9]")
        self.assertLessEqual(len(streams) - len(refused), QUEUE + 64)


if __name__ == "__main__":
    main()
