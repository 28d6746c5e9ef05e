// model package: a directory of a model in clear becomes an encrypted, signed package.
#include <algorithm>
#include <vector>

#include "apps/ephemeralml/model_commands.h"
#include "apps/ephemeralml/model_directory.h"
#include "apps/ephemeralml/model_files.h"
#include "apps/ephemeralml/model_keys.h"
#include "apps/ephemeralml/model_known.h"
#include "base/files.h"
#include "crypto/hash.h"
#include "package/dek.h"

namespace eml::cli {
namespace {

struct Options {
  std::string directory;
  std::string to;
  std::vector<std::string> keys;
  std::string key_id;
  std::string id;
  std::string version = "1.0.0";
  std::uint64_t serial = 1;
  bool json = false;
};

// A model of the table has its id without being told; another one must be named.
std::string recognised_id(const ModelFiles& model) {
  const KnownModel* known = find_known_model("all-minilm-l6-v2");
  for (const KnownFile& wanted : known->files) {
    const auto found = std::ranges::find(model.files, wanted.name, &PlainFile::path);
    if (found == model.files.end() || found->bytes.size() != wanted.size) return "";
    if (hex(sha256(found->bytes)) != wanted.sha256) return "";
  }
  return std::string(known->id);
}

int read_keys(const std::vector<std::string>& paths, std::vector<Ed25519Key>& keys) {
  for (const std::string& path : paths) {
    auto key = read_publisher_key(path);
    if (!key) return complain(path, key.error());
    keys.push_back(std::move(*key));
  }
  return kDone;
}

int run(const Options& options) {
  if (auto key = parse_x25519_key_id(options.key_id); !key) return complain("--key-id", key.error());
  if (options.to.empty()) return complain_usage("--to", "is empty");
  const std::string target = without_slashes(options.to);
  auto sink = DirectorySink::at(target);
  if (!sink) return complain(target, sink.error()), kFailed;
  std::vector<Ed25519Key> keys;
  if (const int failed = read_keys(options.keys, keys); failed != kDone) return failed;
  ModelFiles model;
  if (auto collected = collect_model(without_slashes(options.directory), model); !collected) {
    return complain(collected.error().where, collected.error().error);
  }
  const std::string id = options.id.empty() ? recognised_id(model) : options.id;
  if (id.empty())
    return complain_usage("--id", "is needed: these are the files of no model that is known by its hashes");
  const PackageRequest request = package_request(id, options.version, options.serial, options.key_id, keys);
  auto manifest = make_package(request, std::move(model.files), system_random(), **sink);
  if (!manifest) return complain(target, manifest.error()), kFailed;
  if (auto done = (*sink)->commit(); !done) return complain(target, done.error()), kFailed;
  if (options.json) {
    JsonObject out = manifest_json(*manifest);
    out["package"] = target;
    print_json(out);
  } else {
    say("Packaged in " + target + ". The key that opens the weights is sealed to the key id; it is nowhere else.");
    print_manifest(*manifest);
  }
  return kDone;
}

}  // namespace

void add_model_package(CLI::App& model, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = model.add_subcommand("package", "Encrypt a model's weights, sign all of it: a package to be served");
  command->add_option("DIR", options->directory, "Directory with config.json, tokenizer.json and *.safetensors")
      ->required();
  command->add_option("--to", options->to, "Directory of the package; must not exist")->required();
  command->add_option("--key", options->keys, "Private key of purpose publisher; more than one: all sign")
      ->required()
      ->take_all();
  command->add_option("--key-id", options->key_id, "Who may release the key: x25519:HEX, as `keygen` says for a broker")
      ->required();
  command->add_option("--id", options->id, "Id of the model; needed unless `model pull` knows its files");
  command->add_option("--version", options->version, "Version of the model")->capture_default_str();
  command->add_option("--serial", options->serial, "Grows with each release that must not be rolled back")
      ->check(CLI::Range(std::uint64_t{0}, (std::uint64_t{1} << 53) - 1))
      ->capture_default_str();
  command->add_flag("--json", options->json, "One JSON document");
  command->footer(
      "Example: ephemeralml model package models/all-minilm-l6-v2 --to minilm.pkg --key publisher.key --key-id "
      "x25519:...");
  command->callback([options, &status] { status = run(*options); });
}

}  // namespace eml::cli
