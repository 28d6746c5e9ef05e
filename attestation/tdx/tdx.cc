#include "attestation/tdx/tdx.h"

#include <algorithm>
#include <array>

#include "attestation/tdx/ccel.h"
#include "attestation/tdx/errors.h"
#include "attestation/tdx/fields.h"
#include "attestation/tdx/requirements.h"

namespace eml {
namespace tdx {
namespace {

// Intel's root is pinned where the policy's floor has it.
Hash32 intel_root() {
  const auto bytes = from_hex(kind_profile(EvidenceKind::kTdx).vendor_roots.front());
  return *to_array<32>(*bytes);
}

Result<Hash32> root_of(const EvidenceInput& input) {
  static const Hash32 kIntel = intel_root();
  if (!input.root) return kIntel;
  if (const auto der = Certificate::decode_der(*input.root)) return der->fingerprint();
  const auto pem = decode_pem_certificates(*input.root, 1);
  if (!pem) return fail(kGivenRoot, "the root that was given is not one certificate, in DER or PEM");
  return pem->front().fingerprint();
}

std::optional<ByteView> member(const Collateral* collateral, std::string_view name) {
  if (collateral == nullptr) return std::nullopt;
  const auto found = collateral->find(name);
  if (found == collateral->end()) return std::nullopt;
  return ByteView(found->second);
}

QuoteCollateral collateral_of(const Collateral* collateral) {
  return {.root_crl = member(collateral, "root_crl"),
          .pck_crl = member(collateral, "pck_crl"),
          .tcb_signing_chain = member(collateral, "tcb_signing_chain"),
          .tcb_info = member(collateral, "tcb_info"),
          .qe_identity = member(collateral, "qe_identity")};
}

VerifiedEvidence evidence_of(const VerifiedQuote& verified) {
  VerifiedEvidence out;
  out.kind = EvidenceKind::kTdx;
  out.platform_identity = hex(verified.pck.ppid);
  out.root = hex(verified.root);
  out.debug = verified.quote.debug();
  out.tcb_status = to_string(verified.tcb.status);
  out.tcb.emplace("tcb_evaluation_data_number", std::min(verified.tcb_info_number, verified.qe_identity_number));
  // An enclave's quote is no serve evidence: without signed value and measurements no binding and no entry matches it.
  const TdReport* td = verified.quote.td();
  if (td == nullptr) return out;
  out.signed_value = to_bytes(ByteView(td->report_data));
  out.measurements.emplace("mrtd", to_bytes(ByteView(td->mrtd)));
  constexpr std::array<std::string_view, 4> kNames{"rtmr0", "rtmr1", "rtmr2", "rtmr3"};
  for (std::size_t i = 0; i < kNames.size(); ++i) out.measurements.emplace(kNames[i], to_bytes(ByteView(td->rtmr[i])));
  return out;
}

void report(EvidenceVerdict& out, const VerifiedQuote& verified) {
  out.fields.get_object().emplace("pck", pck_fields(verified.pck, verified.ca));
  out.tcb_status = to_string(verified.tcb.status);
  out.advisories = verified.tcb.advisories;
  out.details = verdict_details(verified);
}

Json events_json(const std::vector<NamedEvent>& events) {
  JsonArray out;
  out.reserve(events.size());
  for (const NamedEvent& event : events) {
    out.push_back(JsonObject{{"rtmr", event.index},
                             {"type", event.type},
                             {"name", event.name},
                             {"digest", hex(event.digest)},
                             {"data_measured", event.data_measured}});
  }
  return out;
}

// Step 14. A log is nobody's duty; one that is there must be right.
Status judge_event_log(const EvidenceInput& input, const UnverifiedQuote& quote, EvidenceVerdict& out, Steps& steps) {
  const auto log = member(input.collateral, "event_log");
  if (!log) {
    steps.leave_out(step::kEventLog, "no event log was given");
    return {};
  }
  if (quote.td() == nullptr) {
    return steps.note(step::kEventLog, Status(fail(kEventLog, "an enclave has no registers for a log")));
  }
  EML_TRY(const auto events, steps.note(step::kEventLog, verify_event_log(*log, *quote.td())));
  out.details.get_object().emplace("events", events_json(events));
  return {};
}

// judge_quote is the procedure; what is known when it fails has been written into `out`.
Status judge_quote(const EvidenceInput& input, VerifierCache* cache, EvidenceVerdict& out, Steps& steps) {
  EML_TRY(const Requirements requirements, decode_requirements(input.requirements));
  EML_TRY(const Hash32 root, root_of(input));
  EML_TRY(const UnverifiedQuote quote, steps.note(step::kForm, decode_quote(input.evidence)));
  const QuoteCollateral collateral = collateral_of(input.collateral);
  const VerifyInput verify{.collateral = collateral, .root = root, .time = input.time, .cache = cache};
  auto verified = verify_quote(quote, verify, steps);
  if (!verified) {
    out.fields = quote_fields(quote);
    return std::unexpected(verified.error());
  }
  out.fields = report_fields(quote);
  report(out, *verified);
  EML_CHECK(steps.note(step::kTcbStatus, refuse_status(verified->tcb)));
  EML_CHECK(judge_event_log(input, quote, out, steps));
  EML_CHECK(steps.note(step::kRequirements, appraise_quote(*verified, requirements)));
  out.evidence = evidence_of(*verified);
  return {};
}

EvidenceVerdict judge(const EvidenceInput& input, VerifierCache* cache) {
  EvidenceVerdict out;
  out.root_given = input.root.has_value();
  out.details = JsonObject();
  Steps steps(out.checks, step::kAll);
  const Status judged = judge_quote(input, cache, out, steps);
  if (!judged) out.error = judged.error();
  steps.finish();
  return out;
}

}  // namespace

Json quote_fields(const UnverifiedQuote& quote) {
  JsonObject out = report_fields(quote);
  const auto chain = decode_pem_certificates(quote.cert_data);
  if (chain && !chain->empty()) {
    const auto extension = extension_of(chain->front());
    if (extension) out.emplace("pck", pck_fields(*extension, chain->front().issuer_common_name()));
  }
  return out;
}

}  // namespace tdx

EvidenceVerdict judge_tdx(const EvidenceInput& input) { return tdx::judge(input, nullptr); }

EvidenceVerdict judge_tdx(const EvidenceInput& input, tdx::VerifierCache& cache) { return tdx::judge(input, &cache); }

}  // namespace eml
