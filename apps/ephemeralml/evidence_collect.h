// evidence collect: fetches what a piece of evidence needs of its vendor's services, for `verify --collateral DIR`.
#pragma once

#include <CLI/App.hpp>

namespace eml::cli {

// add_evidence_collect adds `collect` to the command `evidence`.
void add_evidence_collect(CLI::App& evidence, int& status);

}  // namespace eml::cli
