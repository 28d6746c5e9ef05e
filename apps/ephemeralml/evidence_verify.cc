#include "apps/ephemeralml/evidence_verify.h"

#include "apps/ephemeralml/command.h"
#include "apps/ephemeralml/evidence_inputs.h"
#include "attestation/verdict_json.h"

namespace eml::cli {
namespace {

void say_verdict(std::string_view kind, const EvidenceVerdict& verdict) {
  for (const Check& check : verdict.checks) {
    say(std::string(to_string(check.outcome)) + ": " + std::string(check.title.view()) + " (" +
        std::string(to_string(check.voucher)) + ")");
  }
  if (!verdict.tcb_status.empty()) say("TCB status: " + verdict.tcb_status);
  say(std::string(kind) + ": " + std::string(verdict_text(verdict)));
}

int verify(const EvidenceOptions& options) {
  EvidenceInputs inputs;
  if (const auto read = read_evidence_inputs(options, inputs); !read) return read.error();
  const EvidenceVerdict verdict = inputs.kind->judge(inputs.view());
  if (options.json) {
    print_json(verdict_json(options.kind, inputs.time, verdict));
  } else {
    say_verdict(options.kind, verdict);
  }
  return verdict.error ? complain(options.evidence, *verdict.error) : kDone;
}

}  // namespace

void add_evidence_verify(CLI::App& evidence, int& status) {
  auto options = std::make_shared<EvidenceOptions>();
  auto* command = evidence.add_subcommand("verify", "Judge one piece of evidence, offline");
  command->add_option("--kind", options->kind, "tdx, sevsnp, nitro, confidential_space, tpm or nvidia")->required();
  command->add_option("--evidence", options->evidence, "The evidence, as the platform gave it")->required();
  command->add_option("--collateral", options->collateral,
                      "A directory of NAME.ext, or NAME=FILE; may be repeated (docs/spec/evidence/KIND.md)");
  command->add_option("--policy", options->policy, "Requirements: a JSON object of the kind's members");
  command->add_option("--time", options->time, "Judge as of this time (RFC 3339) instead of now");
  command->add_option("--nonce", options->nonce, "Hex: what the evidence must have signed");
  command->add_option("--root", options->root, "Trust this root (certificate or key set) and no built-in one");
  command->add_flag("--json", options->json, "One JSON document");
  command->footer(
      "Example: ephemeralml evidence verify --kind confidential_space --evidence token.jwt --time "
      "2026-06-01T12:00:00Z");
  command->callback([options, &status] { status = verify(*options); });
}

}  // namespace eml::cli
