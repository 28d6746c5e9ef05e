// The TLS client. Trust comes from the machine's store: our static OpenSSL has no directory of its own that anybody
// fills, so the usual places are named here.
#include <openssl/ssl.h>
#include <unistd.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstdlib>

#include "net/http_exchange.h"

namespace eml::net_internal {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;

constexpr const char* kTrustStores[] = {
    "/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora, RHEL
    "/etc/ssl/cert.pem",                   // Alpine, BSD
};

Status load_trust(asio::ssl::context& context) {
  boost::system::error_code error;
  if (const char* chosen = std::getenv("SSL_CERT_FILE"); chosen != nullptr && *chosen != '\0') {
    context.load_verify_file(chosen, error);
    if (error) return fail(kTlsFailed, "SSL_CERT_FILE names no usable trust store");
    return {};
  }
  for (const char* path : kTrustStores) {
    if (::access(path, R_OK) != 0) continue;
    context.load_verify_file(path, error);
    if (!error) return {};
  }
  return fail(kTlsFailed, "this machine has no trust store (install ca-certificates, or set SSL_CERT_FILE)");
}

}  // namespace

asio::awaitable<Result<HttpReply>> tls_call(const Url& url, const HttpCall& call, const HttpClientLimits& limits,
                                            const BodySink& sink) {
  boost::system::error_code error;
  asio::ssl::context context(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  context.set_verify_mode(asio::ssl::verify_peer, error);
  if (auto status = load_trust(context); !status) co_return std::unexpected(status.error());

  asio::ssl::stream<beast::tcp_stream> stream(co_await asio::this_coro::executor, context);
  stream.set_verify_callback(asio::ssl::host_name_verification(url.endpoint.host), error);
  if (SSL_set_tlsext_host_name(stream.native_handle(), url.endpoint.host.c_str()) != 1) {
    co_return fail(kTlsFailed, "the host's name cannot be sent");
  }
  beast::tcp_stream& lowest = stream.next_layer();
  if (auto status = co_await connect(lowest, url.endpoint, limits); !status) co_return std::unexpected(status.error());
  lowest.expires_after(limits.connect);
  co_await stream.async_handshake(asio::ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, error));
  if (error == beast::error::timeout) co_return fail(kNetTimeout, "the TLS handshake took too long");
  if (error) co_return fail(kTlsFailed, "the TLS handshake failed: wrong name, unknown root or no common version");
  co_return co_await exchange(stream, lowest, url, call, limits, sink);
}

}  // namespace eml::net_internal
