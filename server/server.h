// Server is a booted process that answers: epochs, listener, sessions, health and metrics, drain.
//
// run() returns when the server has stopped. All threads are its own: one for accepting, epochs and metrics, the I/O
// threads with their sessions, the engine's workers, one for fresh evidence.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "attester/attester.h"
#include "base/clock.h"
#include "server/boot.h"
#include "server/config.h"

namespace eml {

// ServerReady is what a caller learns when the server listens.
struct ServerReady {
  Endpoint server;
  Endpoint metrics;
  bool evaluation = true;
};

class Server {
 public:
  // `config`, `random` and `clock` outlive the server.
  Server(const ServeConfig& config, std::unique_ptr<Attester> attester, Random& random, const Clock& clock);
  ~Server();

  // boot runs everything up to listening, in the order of docs/spec/evidence.md, "Boot". Nothing listens before the
  // model is loaded and the first epoch's evidence has passed our own verifier.
  BootResult<ServerReady> boot();

  // run serves until SIGTERM or SIGINT: then it is not ready, says GOAWAY, finishes what is open and returns, within
  // limits.drain_s; a second signal ends the sessions at once. Call once, after boot.
  void run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace eml
