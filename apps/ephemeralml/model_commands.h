// The four `model` commands, one file each; model.cc gathers them.
#pragma once

#include "apps/ephemeralml/command.h"

namespace eml::cli {

void add_model_pull(CLI::App& model, int& status);
void add_model_package(CLI::App& model, int& status);
void add_model_import(CLI::App& model, int& status);
void add_model_inspect(CLI::App& model, int& status);

}  // namespace eml::cli
