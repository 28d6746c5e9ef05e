"""Robustness: clients that idle, dawdle, send garbage, stop half way or never read. While each is at it others are
served; afterwards nothing of it is left; the server's memory stays bounded."""

import contextlib
import os
import socket
import struct
import threading

import raw_client
from harness import PATIENCE, SANITIZED, SystemTest, main
from raw_client import (CLIENT_FINISH, CLOSE, DATA, PING, RECORD, REFUSE, RESET, SETTINGS, RawChannel, client_hello,
                        embeddings_request, frame)

HANDSHAKE_MS = 12_000 if SANITIZED else 4_000
MEMORY_MORE_KB = 64 * 1024  # what any of these attacks may cost at most


class Robustness(SystemTest):
    serve = {
        "limits.handshake_ms": HANDSHAKE_MS,
        "limits.idle_ms": 2_000,
        "limits.stall_ms": 2_000,
        "limits.streams": 16,
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.world.start()
        for _ in range(3):  # allocate what the server needs anyway
            cls.world.infer("--count", 50, "--concurrency", 16, "--channels", 4)

    def setUp(self):
        self.sockets = contextlib.ExitStack()
        self.addCleanup(self.sockets.close)
        self.server.wait_metric("connections", 0)
        self.memory = self.server.status("VmRSS")

    def tearDown(self):
        self.assertTrue(self.server.alive())
        self.sockets.close()
        self.server.wait_metric("connections", 0)
        self.server.wait_metric("channels", 0)

    def connect(self, count=1):
        connections = [self.sockets.enter_context(self.server.connect()) for _ in range(count)]
        return connections if count > 1 else connections[0]

    def channel(self, **options):
        channel = RawChannel(self.server.address(), **options)
        self.sockets.enter_context(channel.socket)
        return channel

    def assert_others_are_served(self, at_work=0):
        """While `at_work` connections are open, an honest client gets all that it asks for."""
        self.server.wait_metric("connections", lambda open_now: open_now >= at_work)
        self.assert_serves(20)
        if not SANITIZED:
            self.assertLess(self.server.status("VmRSS"), self.memory + MEMORY_MORE_KB)

    def assert_ended_by_server(self, connection):
        """The server ends it within its bounds; at most a refuse comes before."""
        data = b""
        with contextlib.suppress(ConnectionResetError):
            while more := connection.recv(1 << 16):
                data += more
        self.assertIn(data, (b"", frame(REFUSE, b"")))

    def test_an_idle_connection(self):
        idle = self.connect()
        self.assert_others_are_served(at_work=1)
        self.assert_ended_by_server(idle)

    def test_a_byte_a_second(self):
        slow, stop = self.connect(), threading.Event()

        def dawdle():
            with contextlib.suppress(OSError):
                for byte in client_hello():
                    slow.sendall(bytes([byte]))
                    if stop.wait(1):
                        return

        thread = threading.Thread(target=dawdle)
        thread.start()
        try:
            self.assert_others_are_served(at_work=1)
            self.assert_ended_by_server(slow)
        finally:
            stop.set()
            thread.join()

    def test_sixty_garbage_handshakes(self):
        garbage = [
            os.urandom(200),
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            bytes.fromhex("16030100c8010000c40303") + os.urandom(194),  # TLS
            frame(9, bytes(40)),
            frame(RECORD, bytes(300)),
            frame(CLIENT_FINISH, bytes(32)),
            frame(1, b""),
            frame(1, struct.pack(">H", 2) + client_hello()[7:]),  # another version
            client_hello()[:-2] + b"\x64\x7a",  # a KEM that is not offered
            frame(1, client_hello()[5:] + b"\0"),  # a byte too much
            client_hello() + frame(CLIENT_FINISH, bytes(32)),  # an all-zero point
            client_hello() + frame(RECORD, bytes(272)),  # a record before the keys
        ]
        failed = self.server.metric("handshakes_failed_total")
        connections = self.connect(60)
        for i, connection in enumerate(connections):
            with contextlib.suppress(ConnectionError):
                connection.sendall(garbage[i % len(garbage)])
        self.assert_others_are_served()
        for i, connection in enumerate(connections):
            if i % len(garbage) < 10:
                self.assert_ended_by_server(connection)
        self.server.wait_metric("handshakes_failed_total", failed + 60)

    def test_an_over_long_frame(self):
        # The header alone says that it is too long: nobody waits for, or keeps, the rest.
        for size, kind in ((513, 1), (0xFFFFFFFF, 1), (1 << 20, 4)):
            connection = self.connect()
            connection.sendall(struct.pack(">IB", size, kind))
            self.assert_ended_by_server(connection)
        self.assert_others_are_served()

    def test_an_over_long_record(self):
        channel = self.channel()
        channel.hear_until(SETTINGS)
        channel.socket.sendall(struct.pack(">IB", 65_553, RECORD))
        with self.assertRaises(EOFError):  # in silence
            channel.hear()
        self.assert_others_are_served()

    def test_two_hundred_connections_that_stop_after_the_hello(self):
        connections = self.connect(200)
        for connection in connections:
            connection.sendall(client_hello())
        self.assert_others_are_served(at_work=100)
        self.server.wait_metric("connections", 0)
        for connection in connections[:10]:
            data = b""
            with contextlib.suppress(ConnectionResetError):
                while more := connection.recv(1 << 16):
                    data += more
            self.assertEqual(data[4], raw_client.SERVER_HELLO)

    def test_a_client_that_never_reads_its_answers(self):
        # 5 MB of answers in all: more than the buffers of both systems take, with this window.
        channel = self.channel(receive_buffer=4096)
        message = embeddings_request(["word"] * 64, encoding="float")
        for _ in range(16):
            channel.ask(message)
        self.assert_others_are_served(at_work=1)
        self.server.wait_metric("connections", 0)

    def test_many_clients_that_never_read_their_answers(self):
        message = embeddings_request(["a text that many ask for"] * 16, encoding="float")
        for _ in range(8):
            channel = self.channel(receive_buffer=4096)
            for _ in range(16):
                channel.ask(message)
        self.assert_others_are_served(at_work=8)
        self.server.wait_metric("connections", 0)

    def test_a_channel_that_says_nothing(self):
        channel = self.channel()
        self.assert_others_are_served(at_work=0)
        self.assertEqual(channel.hear_until(CLOSE)[3], b"\0\0")

    def test_a_request_that_never_ends(self):
        channel = self.channel()
        channel.ask(embeddings_request(["half"])[:40], end=False)
        self.assert_others_are_served(at_work=1)
        kind, _, stream, code = channel.hear_until(RESET)
        self.assertEqual((kind, stream, code), (RESET, 1, b"\0\4"))

    def test_far_more_streams_than_allowed(self):
        channel = self.channel()
        half = embeddings_request(["never"])[:40]
        # At once: each one that is over the number is refused, and then is open no more.
        channel.socket.sendall(b"".join(channel.sealed(DATA, 0, stream, half) for stream in range(1, 34)))
        self.assertEqual(channel.hear_until(CLOSE)[3], b"\0\2")
        self.assert_others_are_served()

    def test_pings_without_end(self):
        channel = self.channel()
        channel.hear_until(SETTINGS)
        channel.ask(embeddings_request(["half"])[:40], end=False)  # an open stream: the channel is not idle meanwhile
        with contextlib.suppress(OSError):
            for _ in range(1_100):
                channel.say(PING, 0, 0, bytes(8))
        with contextlib.suppress(EOFError, ConnectionResetError):
            self.assertEqual(channel.hear_until(CLOSE)[3], b"\0\2")
        self.assert_others_are_served()

    def test_a_record_that_does_not_open(self):
        channel = self.channel()
        channel.hear_until(SETTINGS)
        record = bytearray(channel.sealed(DATA, 1, 1, b"x"))
        record[-1] ^= 1
        channel.socket.sendall(record)
        with self.assertRaises(EOFError):
            channel.hear()

    def test_resets_without_end(self):
        channel = self.channel()
        channel.hear_until(SETTINGS)
        with contextlib.suppress(OSError):
            for stream in range(1, 200):
                channel.say(RESET, 0, stream, b"\0\1")
        with contextlib.suppress(EOFError, ConnectionResetError):
            self.assertEqual(channel.hear_until(CLOSE)[3], b"\0\2")
        self.assert_others_are_served()

    def test_connections_that_go_away_at_once(self):
        for _ in range(300):
            connection = socket.create_connection(self.server.address(), timeout=PATIENCE)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()  # a reset
        self.assert_others_are_served()

    def test_an_honest_raw_client_is_answered(self):
        # Else the tests above would prove nothing.
        channel = self.channel()
        channel.ask(embeddings_request(["hello"]))
        kinds = []
        while kinds.count(raw_client.STATEMENT) < 2:
            kinds.append(channel.hear()[0])
        self.assertEqual(kinds, [SETTINGS, DATA, raw_client.STATEMENT, raw_client.STATEMENT])
        channel.say(CLOSE, 0, 0, b"\0\0")
        self.assertEqual(channel.hear()[0], CLOSE)


if __name__ == "__main__":
    main()
