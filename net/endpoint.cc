#include "net/endpoint.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>
#include <optional>

namespace eml {
namespace {

constexpr std::size_t kHostMax = 253;  // RFC 1035
constexpr std::size_t kUrlMax = 8192;

bool is_host(std::string_view host) {
  if (host.empty() || host.size() > kHostMax) return false;
  return host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%") ==
         std::string_view::npos;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

std::string Endpoint::to_string() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail(kEndpointMalformed, "expected HOST:PORT");
  std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return fail(kEndpointMalformed, "an IPv6 address needs brackets: [ADDRESS]:PORT");
  }
  if (!is_host(host)) return fail(kEndpointMalformed, "the host is empty or has characters that no host has");
  const auto port = parse_port(port_text);
  if (!port) return fail(kEndpointMalformed, "the port is not a number from 0 to 65535");
  return Endpoint{std::string(host), *port};
}

Result<Url> parse_url(std::string_view text) {
  if (text.size() > kUrlMax) return fail(kUrlMalformed, "the URL is too long", text.size(), kUrlMax);
  const auto parsed = boost::urls::parse_uri(text);
  if (!parsed) return fail(kUrlMalformed, "not an absolute URL");
  Url url;
  if (parsed->scheme() == "https") {
    url.tls = true;
  } else if (parsed->scheme() != "http") {
    return fail(kUrlMalformed, "the URL is neither http nor https");
  }
  if (parsed->has_userinfo()) return fail(kUrlMalformed, "the URL names a user");
  url.endpoint.host = parsed->host_address();
  if (!is_host(url.endpoint.host)) return fail(kUrlMalformed, "the URL has no usable host");
  url.endpoint.port = url.tls ? 443 : 80;
  if (!parsed->port().empty()) {
    const auto port = parse_port(parsed->port());
    if (!port || *port == 0) return fail(kUrlMalformed, "the URL's port is not a number from 1 to 65535");
    url.endpoint.port = *port;
  }
  url.target = std::string(parsed->encoded_resource());
  // encoded_resource covers path, query and fragment; a fragment never goes over the wire.
  if (const std::size_t hash = url.target.find('#'); hash != std::string::npos) url.target.resize(hash);
  if (url.target.empty() || url.target[0] != '/') url.target.insert(0, "/");
  return url;
}

}  // namespace eml
