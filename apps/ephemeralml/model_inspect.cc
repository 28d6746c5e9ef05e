// model inspect: what a package says it is, and as much of it as can be verified without the key.
#include <algorithm>
#include <vector>

#include "apps/ephemeralml/model_commands.h"
#include "apps/ephemeralml/model_files.h"
#include "apps/ephemeralml/model_keys.h"
#include "encoding/reader.h"
#include "package/dek.h"
#include "package/encrypted_file.h"
#include "server/package_reader.h"

namespace eml::cli {
namespace {

constexpr std::string_view kEncfileMagic = "EMLSTRM1";
constexpr std::string_view kDekMagic = "EMLWDEK1";

struct Options {
  std::string package;
  std::vector<std::string> publishers;
  bool json = false;
};

struct Finding {
  std::string what;
  std::string_view outcome;  // passed, failed, not checked
  std::string detail;
  std::optional<Error> error;
};

class Findings {
 public:
  void passed(std::string what, std::string detail = {}) { add({std::move(what), "passed", std::move(detail), {}}); }
  void unchecked(std::string what, std::string why) { add({std::move(what), "not checked", std::move(why), {}}); }
  void failed(std::string what, const Error& error) { add({std::move(what), "failed", reason_of(error), error}); }
  template <typename T>
  void judge(std::string what, const Result<T>& result, std::string detail = {}) {
    if (result) {
      passed(std::move(what), std::move(detail));
    } else {
      failed(std::move(what), result.error());
    }
  }
  const std::vector<Finding>& all() const { return all_; }
  const Finding* first_failed() const {
    const auto found = std::ranges::find_if(all_, [](const Finding& finding) { return finding.error.has_value(); });
    return found == all_.end() ? nullptr : &*found;
  }

 private:
  void add(Finding finding) { all_.push_back(std::move(finding)); }
  std::vector<Finding> all_;
};

// The header of docs/spec/package.md, 3, as far as it is clear.
Status check_encrypted(DirectoryReader& reader, const Manifest& manifest, const ModelFile& file) {
  EML_TRY(const EncryptedSource* source, reader.encrypted(file, manifest.package_name(file)));
  const std::uint64_t wanted = encrypted_size(file.size);
  if (source->size() < wanted)
    return fail(kEncfileTruncated, "shorter than it must be (wanted, got)", wanted, source->size());
  if (source->size() > wanted)
    return fail(kEncfileExtraBytes, "longer than it must be (wanted, got)", wanted, source->size());
  ByteArray<kEncfileHeaderSize> header{};
  EML_TRY(const ByteView bytes, source->read(0, header));
  Reader in(bytes);
  EML_TRY(const ByteView magic, in.bytes(kEncfileMagic.size()));
  if (as_text(magic) != kEncfileMagic) return fail(kEncfileMalformed, "not an EMLSTRM1 file");
  EML_TRY(const std::uint32_t segment, in.u32());
  if (segment != kSegmentSize) return fail(kEncfileSegmentSize, "another segment size", segment);
  EML_TRY(const std::uint32_t zero, in.u32());
  if (zero != 0) return fail(kEncfileMalformed, "a reserved field is not zero");
  EML_TRY(const ByteView package_id, in.bytes(manifest.package_id.size()));
  if (!equal(package_id, manifest.package_id)) return fail(kEncfileOtherPackage, "a file of another package");
  return {};
}

Status check_wrapped_dek(const DirectoryReader& reader) {
  EML_TRY(const Bytes wrapped, reader.member(kWrappedDekName, 4096));
  if (wrapped.size() != kWrappedDekSize) {
    return fail(kDekMalformed, "a wrapped DEK has another size (wanted, got)", kWrappedDekSize, wrapped.size());
  }
  if (!as_text(wrapped).starts_with(kDekMagic)) return fail(kDekMalformed, "not an EMLWDEK1 file");
  return {};
}

Status check_clear(DirectoryReader& reader, const Manifest& manifest, const ModelFile& file) {
  EML_TRY(const ByteView bytes, reader.clear(file));
  return verify_clear_file(manifest, file, bytes);
}

void check_files(DirectoryReader& reader, const Manifest& manifest, Findings& findings) {
  for (const ModelFile& file : manifest.files) {
    const std::string name = manifest.package_name(file);
    if (!manifest.is_encrypted(file.path)) {
      findings.judge(name, check_clear(reader, manifest, file), "clear, the bytes that were signed");
    } else if (auto form = check_encrypted(reader, manifest, file); !form) {
      findings.failed(name, form.error());
    } else {
      findings.unchecked(name, "encrypted; size and header fit, the rest cannot be checked without the key");
    }
  }
  if (auto form = check_wrapped_dek(reader); !form) {
    findings.failed(std::string(kWrappedDekName), form.error());
  } else {
    findings.unchecked(std::string(kWrappedDekName), "sealed to " + manifest.key_id);
  }
}

void check_publishers(const Manifest& manifest, const std::vector<Ed25519PublicKey>& trusted, Findings& findings) {
  if (trusted.empty()) {
    findings.unchecked("publisher", "no --publisher was given: whether to trust the signing key is yours to say");
    return;
  }
  const bool known = std::ranges::any_of(manifest.signatures, [&](const ManifestSignature& signature) {
    return std::ranges::find(trusted, signature.key) != trusted.end();
  });
  if (known) {
    findings.passed("publisher", "one that you named");
  } else {
    findings.failed("publisher", Error(kManifestPublisher, "none of the signing keys is one that you named"));
  }
}

JsonObject as_json(const std::string& package, const Manifest& manifest, const Findings& findings) {
  JsonArray checks;
  for (const Finding& finding : findings.all()) {
    JsonObject line{{"what", finding.what}, {"outcome", finding.outcome}, {"detail", finding.detail}};
    line["error"] = finding.error ? Json(finding.error->code().name) : Json(nullptr);
    checks.push_back(std::move(line));
  }
  JsonObject out = manifest_json(manifest);
  out["package"] = package;
  out["verdict"] = findings.first_failed() == nullptr ? "as signed" : "not as signed";
  out["checks"] = std::move(checks);
  return out;
}

void print(const Manifest& manifest, const Findings& findings) {
  say(findings.first_failed() == nullptr
          ? "As signed, as far as can be seen without the key. Encrypted files are checked when they are loaded."
          : "NOT as signed, or not by whom you named. Do not use this package.");
  print_manifest(manifest);
  for (const Finding& finding : findings.all()) {
    std::string line(finding.outcome);
    line.resize(12, ' ');
    line += finding.what;
    if (!finding.detail.empty()) line += ": " + finding.detail;
    say(line);
  }
}

int run(const Options& options) {
  std::vector<Ed25519PublicKey> trusted;
  for (const std::string& text : options.publishers) {
    auto key = public_key_of(text);
    if (!key) return complain("--publisher", key.error());
    trusted.push_back(*key);
  }
  const std::string package = without_slashes(options.package);
  DirectoryReader reader(package);
  auto names = reader.names();
  if (!names) return complain(package, names.error());
  const std::string manifest_path = package + "/" + std::string(kManifestName);
  auto bytes = reader.member(kManifestName, kManifestBytesMax);
  if (!bytes) return complain(manifest_path, bytes.error());
  auto manifest = decode_manifest(*bytes);
  if (!manifest) return complain(manifest_path, manifest.error());

  Findings findings;
  findings.judge("manifest.json", verify_manifest(*bytes), "every signature verifies");
  check_publishers(*manifest, trusted, findings);
  findings.judge("members", check_members(*manifest, *names), "all that the manifest names, and nothing else");
  check_files(reader, *manifest, findings);
  if (options.json) {
    print_json(as_json(package, *manifest, findings));
  } else {
    print(*manifest, findings);
  }
  const Finding* bad = findings.first_failed();
  return bad == nullptr ? kDone : complain(package + ": " + bad->what, *bad->error);
}

}  // namespace

void add_model_inspect(CLI::App& model, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = model.add_subcommand("inspect", "Say what a package is; verify what can be verified without the key");
  command->add_option("PKG", options->package, "Directory of the package")->required();
  command->add_option("--publisher", options->publishers, "Publisher whom you trust: public key in hex, or a file")
      ->take_all();
  command->add_flag("--json", options->json, "One JSON document");
  command->footer(
      "Exit status: 0 as signed, 1 not as signed, 2 could not be judged.\n"
      "Example: ephemeralml model inspect minilm.pkg --publisher publisher.key.pub");
  command->callback([options, &status] { status = run(*options); });
}

}  // namespace eml::cli
