// evidence show: what a bundle or raw evidence says about itself, before and apart from any verdict.
#include "apps/ephemeralml/command.h"
#include "apps/ephemeralml/evidence_collect.h"
#include "apps/ephemeralml/evidence_forecast.h"
#include "apps/ephemeralml/evidence_inputs.h"
#include "apps/ephemeralml/evidence_verify.h"
#include "attestation/bundle.h"
#include "attestation/describe.h"
#include "audit/dossier.h"
#include "base/files.h"

namespace eml::cli {
namespace {

struct Options {
  std::string file;
  std::string kind;
  std::string to;
  bool json = false;
};

int print_description(const Options& options, const Json& description) {
  const auto text = options.json ? compact_json(description) + "\n" : description_text(description);
  return write_stdout(text) ? kDone : complain_usage("standard output", "cannot be written");
}

// Evidence that cannot be read is shown as far as it goes, and is an error.
int show_evidence(const Options& options) {
  if (options.kind != "local") {
    if (const auto kind = read_kind(options.kind); !kind) return kind.error();
  }
  const auto bytes = read_file(options.file, kEvidenceFileBytesMax);
  if (!bytes) return complain(options.file, bytes.error());
  const Json description = describe_evidence(options.kind, *bytes);
  const int printed = print_description(options, description);
  if (printed != kDone || !description.at("evidence").get_object().contains("error")) return printed;
  return complain_usage(options.file, "is no evidence of that kind");
}

int show(const Options& options) {
  if (!options.kind.empty()) return show_evidence(options);
  auto bytes = read_file(options.file, kDossierBytesMax);
  if (!bytes) return complain(options.file, bytes.error());
  ByteView bundle = *bytes;
  if (sniff_file(*bytes) == FileKind::kDossier) {
    auto dossier = decode_dossier(*bytes);
    if (!dossier) return complain(options.file, dossier.error());
    bundle = dossier->bundle;
  }
  auto description = describe_bundle(bundle);
  if (!description) return complain(options.file, description.error());
  return print_description(options, *description);
}

// Each part as it lies in the dossier, for other programs and for `verify` with single files.
int unpack(const Options& options) {
  auto bytes = read_file(options.file, kDossierBytesMax);
  if (!bytes) return complain(options.file, bytes.error());
  if (sniff_file(*bytes) != FileKind::kDossier) return complain_usage(options.file, "is not a dossier");
  auto dossier = decode_dossier(*bytes);
  if (!dossier) return complain(options.file, dossier.error());
  if (auto made = make_directory(options.to, DirectoryMode::kPrivate); !made) return complain(options.to, made.error());
  const std::pair<const char*, std::optional<ByteView>> parts[] = {{"receipt.cose", dossier->receipt},
                                                                   {"request.json", dossier->request},
                                                                   {"response.json", dossier->response},
                                                                   {"evidence.cbor", dossier->bundle},
                                                                   {"cleanup.cose", dossier->cleanup}};
  for (const auto& [name, part] : parts) {
    if (!part) continue;
    const std::string path = options.to + "/" + name;
    if (auto written = write_file(path, *part, WriteMode::kPrivate); !written) return complain(path, written.error());
  }
  return kDone;
}

}  // namespace

void add_evidence(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("evidence", "Look at evidence");
  command->require_subcommand(1);
  auto* shown = command->add_subcommand("show", "Show what evidence claims; nothing is verified");
  shown->add_option("FILE", options->file, "Evidence bundle or dossier; with --kind, raw evidence")->required();
  shown->add_option("--kind", options->kind, "tdx, sevsnp, nitro, confidential_space, tpm, nvidia or local");
  shown->add_flag("--json", options->json, "One JSON document");
  shown->footer("Example: ephemeralml evidence show answer.dossier");
  shown->callback([options, &status] { status = show(*options); });

  add_evidence_verify(*command, status);
  add_evidence_collect(*command, status);
  add_evidence_forecast(*command, status);

  auto* unpacked = command->add_subcommand("unpack", "Write the parts of a dossier as files; nothing is verified");
  unpacked->add_option("FILE", options->file, "Dossier")->required();
  unpacked
      ->add_option("--to", options->to,
                   "Directory: receipt.cose, request.json, response.json, evidence.cbor, cleanup.cose")
      ->required();
  unpacked->footer("Example: ephemeralml evidence unpack answer.dossier --to parts");
  unpacked->callback([options, &status] { status = unpack(*options); });
}

}  // namespace eml::cli
