// ephemeralml: one program, one subcommand for each job.
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/system/system_error.hpp>
#include <csignal>
#include <new>
#include <sstream>
#include <string_view>
#include <system_error>

#include "apps/ephemeralml/command.h"
#include "base/secret.h"
#include "base/version.h"

namespace {

constexpr eml::ErrorCode kOutOfMemory{eml::ErrorClass::kUnavailable, "out-of-memory"};
constexpr eml::ErrorCode kOutOfThreads{eml::ErrorClass::kUnavailable, "out-of-threads"};

constexpr const char* kAbout =
    "EphemeralML: confidential AI inference in which every answer carries a receipt that anyone can check.\n"
    "Exit status: 0 done or verified, 1 judged and not acceptable, 2 could not be done.";

struct Command {
  std::string_view name;
  void (*add)(CLI::App& app, int& status);
};

constexpr Command kCommands[] = {
    {"model", eml::cli::add_model},       {"keygen", eml::cli::add_keygen}, {"policy", eml::cli::add_policy},
    {"broker", eml::cli::add_broker},     {"serve", eml::cli::add_serve},   {"infer", eml::cli::add_infer},
    {"embed", eml::cli::add_embed},       {"bench", eml::cli::add_bench},   {"verify", eml::cli::add_verify},
    {"evidence", eml::cli::add_evidence}, {"replay", eml::cli::add_replay}, {"cpu", eml::cli::add_cpu},
    {"corpus", eml::cli::add_corpus},
};

// Only the command that was asked for, if it was: declaring the options of all costs a verifier a third of a
// millisecond. Anything else gets them all, for --help and for the message.
void add_commands(CLI::App& app, int& status, std::string_view wanted) {
  const auto* found = std::ranges::find(kCommands, wanted, &Command::name);
  if (found != std::end(kCommands)) return found->add(app, status);
  for (const Command& command : kCommands) command.add(app, status);
}

int printed(const CLI::App& app, const CLI::Error& text) {
  std::ostringstream out;
  (void)app.exit(text, out, out);
  if (eml::cli::write_stdout(out.view())) return eml::cli::kDone;
  return eml::cli::complain_usage("standard output", "cannot be written");
}

int run(int argc, char** argv) {
  CLI::App app(kAbout, "ephemeralml");
  app.require_subcommand(1);
  app.set_version_flag("--version", "ephemeralml " EML_VERSION);
  app.get_formatter()->column_width(34);
  int status = eml::cli::kFailed;
  add_commands(app, status, argc > 1 ? argv[1] : "");
  eml::cli::refuse_empty_values(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return printed(app, help);
  } catch (const CLI::CallForAllHelp& help) {
    return printed(app, help);
  } catch (const CLI::CallForVersion& version) {
    return printed(app, version);
  } catch (const CLI::Error& error) {
    return eml::cli::usage_error(app, argc, argv, error);
  }
  if (eml::cli::stdout_failed()) return eml::cli::complain_usage("standard output", "cannot be written");
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  // Before any secret exists: no core dumps, no ptrace. A peer that is gone is an error value, not a signal.
  if (auto hardened = eml::harden_process(); !hardened) return eml::cli::complain("start", hardened.error());
  std::signal(SIGPIPE, SIG_IGN);
  // Buffers of a few MiB come and go with each request: kept, not mapped and faulted in again each time (2.7 ms against
  // 1.25 ms for a body of 1 MiB).
  ::mallopt(M_MMAP_THRESHOLD, 8 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 16 << 20);
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    return eml::cli::complain("start", eml::Error(kOutOfMemory, "the system gives no more memory"));
  } catch (const std::system_error&) {
    return eml::cli::complain("start", eml::Error(kOutOfThreads, "the system gives no more memory, threads or files"));
  } catch (const boost::system::system_error&) {
    return eml::cli::complain("start", eml::Error(kOutOfThreads, "the system gives no more memory, threads or files"));
  } catch (const std::exception&) {
    // Whatever a library threw past its wrapper: no text of it is printed, it might quote the input.
    return eml::cli::complain_usage("internal error", "a library threw an exception");
  }
}
