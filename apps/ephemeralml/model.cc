#include "apps/ephemeralml/command.h"

namespace eml::cli {
void add_model(CLI::App&, int&) {}
}  // namespace eml::cli
