// What the commands share. A command parses its options, calls the library, prints, and returns an exit status:
//   0 done, or verified          1 judged and not acceptable          2 could not be done or judged
//
// stdout carries results; with --json exactly one JSON document. stderr carries everything else. Colour and progress go
// to a terminal only, and NO_COLOR is respected.
#pragma once

#include <CLI/App.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "encoding/json.h"

namespace eml::cli {

inline constexpr int kDone = 0;
inline constexpr int kNotAcceptable = 1;
inline constexpr int kFailed = 2;

// Each adds one command to `app`. The command's exit status goes to `status` when it has run.
void add_model(CLI::App& app, int& status);
void add_keygen(CLI::App& app, int& status);
void add_policy(CLI::App& app, int& status);
void add_broker(CLI::App& app, int& status);
void add_serve(CLI::App& app, int& status);
void add_infer(CLI::App& app, int& status);
void add_embed(CLI::App& app, int& status);
void add_bench(CLI::App& app, int& status);
void add_verify(CLI::App& app, int& status);
void add_evidence(CLI::App& app, int& status);
void add_replay(CLI::App& app, int& status);
void add_cpu(CLI::App& app, int& status);
void add_corpus(CLI::App& app, int& status);

// complain prints one line, "ephemeralml: WHERE: what went wrong (code)", and returns the exit status of the error's
// class. Control characters in WHERE, which may be a path or an argument, are escaped.
int complain(std::string_view where, const Error& error);
// complain_usage is for values that are no Error: "ephemeralml: WHERE: WHY"; returns kFailed.
int complain_usage(std::string_view where, std::string_view why);

// usage_error says what is wrong with the command line in one line.
int usage_error(const CLI::App& app, int argc, const char* const* argv, const CLI::Error& error);
// refuse_empty_values makes every option and argument refuse an empty value, which is a mistake in a script: --policy
// "$unset" must not mean "no policy". Only a text to embed may be empty.
void refuse_empty_values(CLI::App& app);

// add_root gives a command the option --root; read_root reads its file, if it was given, and says loudly what it means.
void add_root(CLI::App& command, std::string& path);
Result<std::optional<Bytes>> read_root(const std::string& path);

// say prints a line to stdout; note prints one to stderr. stdout_failed: something for stdout could not be written.
void say(std::string_view line);
void note(std::string_view line);
bool stdout_failed();
void print_json(const JsonObject& object);

bool stdout_is_terminal();
bool stderr_is_terminal();
bool colour_wanted();  // a terminal, and NO_COLOR is not set

// base_name is the last part of a path.
std::string_view base_name(std::string_view path);

// write_stdout writes all bytes; false if stdout is gone or full, which the caller reports.
bool write_stdout(std::string_view bytes);

}  // namespace eml::cli
