"""A loopback HTTP server with manners good and bad: GET /MANNER/FILE serves FILE of a directory."""

import http.server
import pathlib
import ssl
import subprocess
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.close_connection = True
        _, manner, name = self.path.split("/", 2)
        asked = self.headers.get("Range", "")
        self.server.requests.append(f"{manner} {name} {asked}".strip())
        path = self.server.directory / name
        content = path.read_bytes() if path.is_file() else None
        answer = getattr(self, "manner_" + manner, None)
        if content is None or answer is None:
            self.reply(404, b"Not here.\n" * 200)  # longer than a small file
        else:
            answer(content, name)

    def reply(self, status, body, headers=(), claimed=None):
        self.send_response(status)
        for header, value in headers:
            self.send_header(header, value)
        self.send_header("Content-Length", str(len(body) if claimed is None else claimed))
        self.end_headers()
        self.wfile.write(body)

    def begin(self):
        asked = self.headers.get("Range", "")
        return int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0

    def part(self, content, cut=None):
        """Answers with what Range asks for; only `cut` bytes of it, if that is given."""
        begin = self.begin()
        if begin > 0 and begin >= len(content):
            return self.reply(416, b"")
        body = content[begin:]
        headers = [("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")] if begin else []
        self.reply(206 if begin else 200, body[:cut], headers, len(body))

    def manner_right(self, content, name):
        self.part(content)

    def manner_wrong(self, content, name):
        self.part(content[:-1] + b"?")

    def manner_cut(self, content, name):
        self.part(content, 100)

    def manner_short(self, content, name):
        self.part(content[:-1])

    def manner_long(self, content, name):
        self.part(content + b"\n")

    def manner_endless(self, content, name):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        except OSError:
            pass

    def manner_plain(self, content, name):
        self.reply(200, content)

    def manner_lies(self, content, name):
        body = content if self.begin() else content[:100]
        self.reply(206, body, [("Content-Range", f"bytes 0-{len(body) - 1}/{len(content)}")])

    def manner_moved(self, content, name):
        self.reply(302, b"Found.\n" * 200, [("Location", "/right/" + name)])

    def manner_beside(self, content, name):
        self.reply(307, b"", [("Location", "../right/" + name)])

    def manner_moved_far(self, content, name):
        host, port = self.server.server_address
        self.reply(301, b"", [("Location", f"http://{host}:{port}/right/{name}")])

    def manner_clear(self, content, name):
        self.reply(302, b"", [("Location", self.server.clear_url + "/right/" + name)])

    def manner_loop(self, content, name):
        self.reply(302, b"", [("Location", "/loop/" + name)])

    def manner_nowhere(self, content, name):
        self.reply(302, b"")

    def manner_elsewhere(self, content, name):
        self.reply(302, b"", [("Location", "file:///etc/passwd")])

    def manner_broken(self, content, name):
        self.reply(500, b"\x1b[31mred\n")

    def manner_rubbish(self, content, name):
        self.wfile.write(b"I am no web server.\r\n\r\n")

    def manner_silent(self, content, name):
        pass


class Origin(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, certificate=None, clear_url=""):
        super().__init__(("127.0.0.1", 0), Handler)
        self.directory = pathlib.Path("/nonexistent")
        self.requests = []
        self.clear_url = clear_url
        self.scheme, self.host = ("http", "127.0.0.1") if certificate is None else ("https", "localhost")
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is what some of the transcripts want

    def url(self):
        return f"{self.scheme}://{self.host}:{self.server_address[1]}"


def make_certificate(path):
    """Writes a key and a certificate of its own making for localhost."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", path, "-out",
                    str(path) + ".crt"], check=True, capture_output=True)
    with open(path, "ab") as file:
        file.write(pathlib.Path(str(path) + ".crt").read_bytes())
