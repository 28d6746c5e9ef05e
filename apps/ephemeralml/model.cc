// model pull | package | import | inspect: from public weights to a signed package.
#include "apps/ephemeralml/model_commands.h"

namespace eml::cli {

void add_model(CLI::App& app, int& status) {
  auto* command = app.add_subcommand("model", "Fetch a model, make it a signed package, look into one");
  command->require_subcommand(1);
  add_model_pull(*command, status);
  add_model_package(*command, status);
  add_model_import(*command, status);
  add_model_inspect(*command, status);
}

}  // namespace eml::cli
