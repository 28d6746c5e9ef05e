// evidence forecast: when a piece of evidence will no longer verify with the collateral that is there, and why.
#pragma once

#include <CLI/App.hpp>

namespace eml::cli {

// add_evidence_forecast adds `forecast` to the command `evidence`.
void add_evidence_forecast(CLI::App& evidence, int& status);

}  // namespace eml::cli
