#include "net/listen.h"

#include <boost/asio/ip/address.hpp>

namespace eml {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

Result<tcp::acceptor> listen_tcp(asio::io_context& context, const Endpoint& endpoint) {
  boost::system::error_code error;
  const std::string host = endpoint.host == "localhost" ? "127.0.0.1" : endpoint.host;
  const auto address = asio::ip::make_address(host, error);
  if (error) return fail(kListenFailed, "the address to listen on is not an IP address");
  const tcp::endpoint target(address, endpoint.port);
  tcp::acceptor acceptor(context);
  acceptor.open(target.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(target, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error == asio::error::address_in_use) {
    return fail(kListenFailed, "the port is in use by another process", static_cast<std::uint64_t>(error.value()));
  }
  if (error) {
    return fail(kListenFailed, "the system does not let us listen there", static_cast<std::uint64_t>(error.value()));
  }
  return acceptor;
}

Endpoint local_endpoint_of(const tcp::acceptor& acceptor) {
  boost::system::error_code error;
  const auto local = acceptor.local_endpoint(error);
  if (error) return {};
  return {local.address().to_string(), local.port()};
}

}  // namespace eml
