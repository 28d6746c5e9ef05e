// stop_on_signals ends an io_context on SIGTERM or SIGINT.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

namespace eml::cli {

// The set must live as long as the context runs.
inline void stop_on_signals(boost::asio::signal_set& signals, boost::asio::io_context& context) {
  signals.add(SIGTERM);
  signals.add(SIGINT);
  signals.async_wait([&context](const boost::system::error_code& error, int) {
    if (!error) context.stop();
  });
}

}  // namespace eml::cli
