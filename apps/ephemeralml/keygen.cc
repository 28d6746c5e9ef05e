// keygen: makes a key for one purpose.
#include <unistd.h>

#include "apps/ephemeralml/command.h"
#include "base/clock.h"
#include "base/files.h"
#include "crypto/key_file.h"
#include "keys/broker_keys.h"

namespace eml::cli {
namespace {

struct Options {
  std::string purpose;
  std::string to;
  bool json = false;
};

int run(const Options& options) {
  const auto purpose = key_purpose(options.purpose);
  if (!purpose || *purpose == KeyPurpose::kLocalRoot) {
    return complain_usage("--purpose", "expected publisher, broker or policy");
  }
  Ed25519Key key = Ed25519Key::generate(system_random());
  const Ed25519PublicKey public_key = key.public_key();
  const auto text = encode_private_key_file(*purpose, system_clock().now(), key);
  if (auto written = write_file(options.to, {text.data(), text.size()}, WriteMode::kNewPrivate); !written) {
    return complain(options.to, written.error());
  }
  // Both or none: a key that nobody has seen yet may go again.
  const std::string public_path = options.to + ".pub";
  const std::string public_text = encode_public_key_file(*purpose, public_key);
  if (auto written = write_file(public_path, as_bytes(public_text), WriteMode::kNewPublic); !written) {
    ::unlink(options.to.c_str());
    return complain(public_path, written.error());
  }
  JsonObject out;
  out["purpose"] = options.purpose;
  out["file"] = options.to;
  out["public_file"] = public_path;
  out["public_key"] = hex(public_key);
  if (*purpose == KeyPurpose::kBroker) {
    auto keys = derive_broker_keys(std::move(key));
    if (!keys) return complain(options.to, keys.error());
    out["key_id"] = keys->key_id();
  }
  if (options.json) {
    print_json(out);
    return kDone;
  }
  say("private key  " + options.to + " (keep it; it exists nowhere else)");
  say("public key   " + public_path);
  say("             " + hex(public_key));
  if (out.contains("key_id")) say("key id       " + std::string(out["key_id"].as_string()));
  return kDone;
}

}  // namespace

void add_keygen(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("keygen", "Make a key: of a publisher, a broker or a policy's owner");
  command->add_option("--purpose", options->purpose, "publisher, broker or policy")->required();
  command->add_option("--to", options->to, "File of the private key; FILE.pub gets the public one")->required();
  command->add_flag("--json", options->json, "One JSON document");
  command->footer("Example: ephemeralml keygen --purpose publisher --to publisher.key");
  command->callback([options, &status] { status = run(*options); });
}

}  // namespace eml::cli
