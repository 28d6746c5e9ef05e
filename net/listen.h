// listen_tcp binds a TCP socket the way all of our servers do.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "net/endpoint.h"
#include "net/http.h"

namespace eml {

// listen_tcp resolves an address (no names: a listener states its address) and listens. kListenFailed with errno.
Result<boost::asio::ip::tcp::acceptor> listen_tcp(boost::asio::io_context& context, const Endpoint& endpoint);

Endpoint local_endpoint_of(const boost::asio::ip::tcp::acceptor& acceptor);

}  // namespace eml
