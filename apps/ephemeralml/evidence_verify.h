// evidence verify: judges one piece of evidence of any kind, offline.
#pragma once

#include <CLI/App.hpp>

namespace eml::cli {

// add_evidence_verify adds `verify` to the command `evidence`.
void add_evidence_verify(CLI::App& evidence, int& status);

}  // namespace eml::cli
