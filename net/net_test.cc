#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <thread>

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/listen.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

// A server of ours on a free loopback port, with its own thread.
class RunningServer {
 public:
  explicit RunningServer(HttpServer::Handler handler, const HttpServerLimits& limits = {}) {
    server_ = *HttpServer::listen(context_, {"127.0.0.1", 0}, std::move(handler), limits);
    thread_ = std::thread([this] { context_.run(); });
  }
  ~RunningServer() {
    boost::asio::post(context_, [this] { server_->stop(); });
    context_.stop();
    thread_.join();
  }
  Url url() const { return {.tls = false, .endpoint = server_->local_endpoint(), .target = "/"}; }

 private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

// Answers one connection with fixed bytes and closes: a peer that is not an HTTP server, or a bad one.
class RawPeer {
 public:
  explicit RawPeer(std::string answer) : acceptor_(*listen_tcp(context_, {"127.0.0.1", 0})) {
    thread_ = std::thread([this, answer = std::move(answer)] {
      boost::system::error_code error;
      auto socket = acceptor_.accept(error);
      std::array<char, 4096> request;
      socket.read_some(boost::asio::buffer(request), error);
      boost::asio::write(socket, boost::asio::buffer(answer), error);
    });
  }
  ~RawPeer() { thread_.join(); }
  Url url() const { return {.tls = false, .endpoint = local_endpoint_of(acceptor_), .target = "/"}; }

 private:
  boost::asio::io_context context_{1};
  boost::asio::ip::tcp::acceptor acceptor_;
  std::thread thread_;
};

HttpReply echo(const HttpCall& call) {
  return {.status = 200, .headers = {{"X-Method", call.method}}, .body = call.body};
}

TEST(Endpoint, ReadsNamesAddressesAndBracketedV6) {
  EXPECT_EQ(parse_endpoint("localhost:80")->port, 80);
  EXPECT_EQ(parse_endpoint("127.0.0.1:0")->to_string(), "127.0.0.1:0");
  EXPECT_EQ(parse_endpoint("[::1]:443")->host, "::1");
  EXPECT_EQ(parse_endpoint("[::1]:443")->to_string(), "[::1]:443");
}

TEST(Endpoint, RefusesWhatIsNotHostAndPort) {
  for (const char* bad : {"", ":", "host", "host:", ":80", "host:65536", "host:-1", "host:8a", "host: 80", "::1:80",
                          "[]:80", "a b:80", "h\n:80"}) {
    EXPECT_FALSE(parse_endpoint(bad)) << bad;
  }
}

TEST(Url, SplitsSchemeHostPortAndTarget) {
  const auto url = parse_url("https://example.org/a/b?c=d#e");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->endpoint.to_string(), "example.org:443");
  EXPECT_EQ(url->target, "/a/b?c=d");
  EXPECT_EQ(parse_url("http://127.0.0.1:8080")->target, "/");
}

TEST(Url, RefusesOtherSchemesUsersAndNonsense) {
  for (const char* bad : {"", "example.org", "ftp://example.org/", "http://user@example.org/", "http://", "http:///x",
                          "http://host:0/", "http://host:99999/", "http://ho st/"}) {
    EXPECT_FALSE(parse_url(bad)) << bad;
  }
}

TEST(Http, CarriesMethodBodyAndHeadersBothWays) {
  const RunningServer server(echo);
  const auto reply = http_call(server.url(), {.method = "POST", .target = "/x", .headers = {}, .body = {1, 2, 3}});
  ASSERT_TRUE(reply) << reply.error().to_string();
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(header(reply->headers, "x-method"), "POST");
  EXPECT_EQ(reply->body, (Bytes{1, 2, 3}));
}

TEST(Http, GivesABodyToTheSinkInPieces) {
  const RunningServer server(
      [](const HttpCall&) { return HttpReply{.status = 200, .headers = {}, .body = Bytes(300'000, 7)}; });
  std::size_t got = 0;
  const auto reply = http_call(server.url(), {}, {}, [&got](ByteView piece) {
    got += piece.size();
    return Status{};
  });
  ASSERT_TRUE(reply);
  EXPECT_EQ(got, 300'000U);
  EXPECT_TRUE(reply->body.empty());
}

TEST(Http, ServerRefusesABodyOverItsBoundWith413) {
  const RunningServer server(echo, {.body_bytes_max = 100});
  const auto reply = http_call(server.url(), {.method = "POST", .target = "/", .headers = {}, .body = Bytes(101)});
  ASSERT_TRUE(reply) << reply.error().to_string();
  EXPECT_EQ(reply->status, 413);
}

TEST(Http, ClientRefusesAnAnswerOverItsBound) {
  const RunningServer server(
      [](const HttpCall&) { return HttpReply{.status = 200, .headers = {}, .body = Bytes(1001)}; });
  const auto reply = http_call(server.url(), {}, {.body_bytes_max = 1000});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), kHttpTooLarge);
}

TEST(Http, ClientSaysThatNobodyListens) {
  boost::asio::io_context context;
  Url url;
  {
    const auto acceptor = listen_tcp(context, {"127.0.0.1", 0});
    url.endpoint = local_endpoint_of(*acceptor);
  }
  const auto reply = http_call(url, {});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), kConnectFailed);
}

TEST(Http, ClientSaysThatThePeerIsNotHttp) {
  const RawPeer peer("SSH-2.0-something\r\n\r\n");
  const auto reply = http_call(peer.url(), {});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), kHttpMalformed);
}

TEST(Http, ClientSaysThatTheAnswerWasCut) {
  const RawPeer peer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
  const auto reply = http_call(peer.url(), {});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), kNetClosed);
}

TEST(Http, ClientGivesUpOnASilentPeer) {
  boost::asio::io_context context;
  const auto acceptor = listen_tcp(context, {"127.0.0.1", 0});
  const Url url{.tls = false, .endpoint = local_endpoint_of(*acceptor), .target = "/"};
  const auto reply = http_call(url, {}, {.idle = std::chrono::milliseconds(50)});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), kNetTimeout);
}

TEST(Http, TlsClientRefusesAPeerThatSpeaksNoTls) {
  const RawPeer peer("HTTP/1.1 200 OK\r\n\r\n");
  Url url = peer.url();
  url.tls = true;
  const auto reply = http_call(url, {});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), kTlsFailed);
}

// RawUnixPeer is RawPeer on a Unix socket, and keeps what it was sent.
class RawUnixPeer {
 public:
  explicit RawUnixPeer(std::string answer) : acceptor_(context_, Local::endpoint(path())) {
    thread_ = std::thread([this, answer = std::move(answer)] {
      boost::system::error_code error;
      auto socket = acceptor_.accept(error);
      std::array<char, 4096> request;
      const std::size_t n = socket.read_some(boost::asio::buffer(request), error);
      request_.assign(request.data(), n);
      boost::asio::write(socket, boost::asio::buffer(answer), error);
    });
  }
  ~RawUnixPeer() { wait(); }
  std::string path() const { return directory_.path() / "socket"; }
  const std::string& request() {
    wait();
    return request_;
  }

 private:
  using Local = boost::asio::local::stream_protocol;
  void wait() {
    if (thread_.joinable()) thread_.join();
  }

  test::TempDir directory_;
  boost::asio::io_context context_{1};
  Local::acceptor acceptor_;
  std::string request_;
  std::thread thread_;
};

TEST(HttpUnix, SendsARequestAndReadsTheAnswer) {
  RawUnixPeer peer("HTTP/1.1 201 Created\r\nX: y\r\nContent-Length: 3\r\n\r\nabc");
  const auto reply = http_call_unix(peer.path(), {.method = "POST", .target = "/v1/x", .headers = {}, .body = {'q'}});
  ASSERT_TRUE(reply) << reply.error().to_string();
  EXPECT_EQ(reply->status, 201);
  EXPECT_EQ(header(reply->headers, "x"), "y");
  EXPECT_EQ(reply->body, to_bytes("abc"));
  EXPECT_TRUE(peer.request().starts_with("POST /v1/x HTTP/1.1\r\nHost: localhost\r\n")) << peer.request();
  EXPECT_TRUE(peer.request().ends_with("\r\n\r\nq")) << peer.request();
}

TEST(HttpUnix, SaysThatNobodyListensThere) {
  const test::TempDir directory;
  const auto none = http_call_unix(directory.path() / "none", {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), kConnectFailed);
  EXPECT_EQ(none.error().first(), static_cast<std::uint64_t>(ENOENT));
  const auto file = http_call_unix(directory.write("file", ""), {});
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().first(), static_cast<std::uint64_t>(ECONNREFUSED));
}

TEST(HttpUnix, RefusesPathsThatNoSocketHas) {
  for (const std::string& path : {std::string(), std::string(108, 'a'), std::string("\0abstract", 9)}) {
    const auto reply = http_call_unix(path, {});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), kConnectFailed);
  }
}

TEST(HttpUnix, SaysThatTheAnswerWasCutOrIsTooLarge) {
  const RawUnixPeer cut("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
  EXPECT_EQ(http_call_unix(cut.path(), {}).error().code(), kNetClosed);
  const RawUnixPeer large("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n");
  EXPECT_EQ(http_call_unix(large.path(), {}, {.body_bytes_max = 100}).error().code(), kHttpTooLarge);
}

TEST(Listen, SaysThatAPortIsTaken) {
  boost::asio::io_context context;
  const auto first = listen_tcp(context, {"127.0.0.1", 0});
  ASSERT_TRUE(first);
  const auto second = listen_tcp(context, local_endpoint_of(*first));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), kListenFailed);
}

TEST(Listen, RefusesANameAndAForeignAddress) {
  boost::asio::io_context context;
  EXPECT_FALSE(listen_tcp(context, {"example.org", 0}));
  EXPECT_FALSE(listen_tcp(context, {"192.0.2.1", 0}));
}

}  // namespace
}  // namespace eml
