// model import: a package of the first system, read once, checked, and written as one of ours.
#include <vector>

#include "apps/ephemeralml/model_commands.h"
#include "apps/ephemeralml/model_files.h"
#include "apps/ephemeralml/model_keys.h"
#include "base/files.h"
#include "package/dek.h"
#include "package/import.h"

namespace eml::cli {
namespace {

constexpr std::size_t kClearFileMax = 16U << 20;
constexpr std::size_t kWrappedMax = 4096;  // a cloud's ciphertext of 32 bytes has a few hundred
constexpr std::uint64_t kWeightsMax = std::uint64_t{16} << 30;

struct Options {
  std::string old;
  std::string to;
  std::string key;
  std::string key_id;
  std::string id;
  std::string version;
  std::uint64_t serial = 1;
  std::string old_publisher;
  std::string dek;
  bool wrapped_dek_is_clear = false;
  bool json = false;
};

// OldFiles owns what OldPackage views.
struct OldFiles {
  Bytes manifest;
  Bytes config;
  Bytes tokenizer;
  Bytes wrapped_dek;
  std::optional<MappedFile> weights;

  // The key may lie in clear in wrapped_dek.bin.
  ~OldFiles() { wipe(wrapped_dek); }
};

int read_old(const std::string& directory, OldFiles& files) {
  const struct {
    const char* name;
    std::size_t bytes_max;
    Bytes& to;
  } wanted[] = {{"manifest.json", kManifestBytesMax, files.manifest},
                {"config.json", kClearFileMax, files.config},
                {"tokenizer.json", kClearFileMax, files.tokenizer},
                {"wrapped_dek.bin", kWrappedMax, files.wrapped_dek}};
  for (const auto& file : wanted) {
    const std::string path = directory + "/" + file.name;
    auto bytes = read_file(path, file.bytes_max);
    if (!bytes) return complain(path, bytes.error());
    file.to = std::move(*bytes);
  }
  const std::string path = directory + "/model.safetensors.enc";
  auto weights = MappedFile::open(path, kWeightsMax);
  if (!weights) return complain(path, weights.error());
  files.weights.emplace(std::move(*weights));
  return kDone;
}

int import_options(const Options& options, ImportOptions& out) {
  out.wrapped_dek_is_clear = options.wrapped_dek_is_clear;
  if (!options.old_publisher.empty()) {
    auto key = public_key_of(options.old_publisher);
    if (!key) return complain("--old-publisher", key.error());
    out.old_publisher = *key;
  }
  if (!options.dek.empty()) {
    auto dek = read_dek(options.dek);
    if (!dek) return complain(options.dek, dek.error());
    out.dek = std::move(*dek);
  }
  return kDone;
}

std::string_view vouched(bool yes) { return yes ? "the old publisher's signature" : "nobody"; }

int report(const Options& options, const std::string& target, const ImportReport& done) {
  if (options.json) {
    JsonObject out = manifest_json(done.manifest);
    out["package"] = target;
    out["old_signature_verified"] = done.signature_verified;
    out["old_weights_vouched"] = done.signature_verified;
    out["old_config_vouched"] = done.config_vouched;
    out["old_tokenizer_vouched"] = done.tokenizer_vouched;
    print_json(out);
    return kDone;
  }
  say("Imported as " + target + ". From here on your own signature vouches for all of it.");
  say(std::string("weights     the old manifest's hash is right; vouched for by ") += vouched(done.signature_verified));
  say(std::string("config      vouched for by ") += vouched(done.config_vouched));
  say(std::string("tokenizer   vouched for by ") += vouched(done.tokenizer_vouched));
  print_manifest(done.manifest);
  return kDone;
}

int run(const Options& options) {
  if (auto key = parse_x25519_key_id(options.key_id); !key) return complain("--key-id", key.error());
  if (options.to.empty()) return complain_usage("--to", "is empty");
  const std::string target = without_slashes(options.to);
  auto sink = DirectorySink::at(target);
  if (!sink) return complain(target, sink.error()), kFailed;
  auto key = read_publisher_key(options.key);
  if (!key) return complain(options.key, key.error());
  ImportOptions how;
  if (const int failed = import_options(options, how); failed != kDone) return failed;
  OldFiles files;
  const std::string old = without_slashes(options.old);
  if (const int failed = read_old(old, files); failed != kDone) return failed;
  std::vector<Ed25519Key> keys;
  keys.push_back(std::move(*key));
  auto done = import_package({.manifest = files.manifest,
                              .config = files.config,
                              .tokenizer = files.tokenizer,
                              .weights = files.weights->bytes(),
                              .wrapped_dek = files.wrapped_dek},
                             how, package_request(options.id, options.version, options.serial, options.key_id, keys),
                             system_random(), **sink);
  if (!done) return complain(old, done.error());
  if (auto whole = (*sink)->commit(); !whole) return complain(target, whole.error()), kFailed;
  return report(options, target, *done);
}

}  // namespace

void add_model_import(CLI::App& model, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = model.add_subcommand("import", "Make a package of ours out of one of the first system");
  command->add_option("OLD", options->old, "Directory of the old package")->required();
  command->add_option("--to", options->to, "Directory of the package; must not exist")->required();
  command->add_option("--key", options->key, "Private key of purpose publisher")->required();
  command->add_option("--key-id", options->key_id, "Who may release the key: x25519:HEX")->required();
  command->add_option("--old-publisher", options->old_publisher,
                      "The old publisher's public key, hex or a file; without it nobody vouches for the old files");
  command->add_option("--dek", options->dek, "File with the old package's data key, as its cloud unwrapped it");
  command->add_flag("--wrapped-dek-is-clear", options->wrapped_dek_is_clear,
                    "A wrapped_dek.bin of 32 bytes is the key itself, left by a dry run");
  command->add_option("--id", options->id, "Id of the model; absent: the old one");
  command->add_option("--version", options->version, "Version of the model; absent: the old one");
  command->add_option("--serial", options->serial, "Grows with each release that must not be rolled back")
      ->check(CLI::Range(std::uint64_t{0}, (std::uint64_t{1} << 53) - 1))
      ->capture_default_str();
  command->add_flag("--json", options->json, "One JSON document");
  command->footer(
      "Example: ephemeralml model import old --to new.pkg --key publisher.key --key-id x25519:... --old-publisher "
      "old.pub --dek dek.bin");
  command->callback([options, &status] { status = run(*options); });
}

}  // namespace eml::cli
