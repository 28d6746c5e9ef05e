#include "audit/report.h"

#include <algorithm>
#include <string_view>

#include "encoding/json.h"

namespace eml {
namespace {

constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kReset = "\x1b[0m";
constexpr std::size_t kOutcomeWidth = 13;  // "not checked" and two spaces

const Check* first_with(const DossierVerdict& verdict, Outcome outcome) {
  for (std::size_t i = 0; i < verdict.checks.size(); ++i) {
    const Check& check = verdict.checks[i];
    if (check.outcome == outcome && (outcome == Outcome::kFailed || verdict.required[i])) return &check;
  }
  return nullptr;
}

// Names come from signed documents, but not from ours: a terminal must not obey them.
std::string printable(std::string text) {
  for (char& c : text) c = c >= 0x20 && c < 0x7f ? c : '?';
  return text;
}

// One sentence for somebody who reads nothing else.
std::string summary_of(const DossierVerdict& verdict) {
  switch (verdict.verdict) {
    case Verdict::kVerified:
      if (verdict.evaluation) {
        return "VERIFIED FOR EVALUATION ONLY: everything fits together, but nothing here is for production.";
      }
      return "VERIFIED: this answer came from this model, in the attested machine that the policy accepts.";
    case Verdict::kReceiptOnly:
      return "RECEIPT ONLY: the holder of the given key signed this receipt. Where it ran was NOT checked.";
    case Verdict::kNotVerified: {
      const Check* failed = first_with(verdict, Outcome::kFailed);
      std::string out = "NOT VERIFIED: do not rely on this answer.";
      if (failed != nullptr && failed->error) out.append(" First: ").append(failed->error->what()).append(".");
      return out;
    }
    case Verdict::kNotJudged: {
      const Check* missing = first_with(verdict, Outcome::kNotChecked);
      std::string out = "NOT JUDGED: nothing failed, but what is needed for a verdict is missing.";
      if (missing != nullptr) out.append(" First: ").append(printable(missing->detail)).append(".");
      return out;
    }
  }
  return {};
}

std::string_view assurance_of(const DossierVerdict& verdict) {
  switch (verdict.verdict) {
    case Verdict::kVerified:
      return verdict.evaluation ? "evaluation" : "end-to-end";
    case Verdict::kReceiptOnly:
      return "receipt-only";
    case Verdict::kNotVerified:
    case Verdict::kNotJudged:
      break;
  }
  return "none";
}

// Green is for what hardware or this program vouches for; what nobody vouches for stays yellow, however well it fits.
std::string_view colour_of(const DossierVerdict& verdict, const Check& check) {
  switch (check.outcome) {
    case Outcome::kPassed:
      return check.voucher == Voucher::kNobody || verdict.evaluation ? kYellow : kGreen;
    case Outcome::kFailed:
      return kRed;
    case Outcome::kNotChecked:
      return kYellow;
  }
  return kYellow;
}

std::string_view colour_of(const DossierVerdict& verdict) {
  if (verdict.verdict == Verdict::kNotVerified) return kRed;
  return verdict.verdict == Verdict::kVerified && !verdict.evaluation ? kGreen : kYellow;
}

class Painter {
 public:
  explicit Painter(Colour colour) : on_(colour == Colour::kAnsi) {}
  std::string operator()(std::string_view text, std::string_view colour) const {
    if (!on_) return std::string(text);
    return std::string(colour).append(text).append(kReset);
  }

 private:
  bool on_;
};

std::string padded(std::string_view text) {
  std::string out(text);
  out.resize(std::max(out.size(), kOutcomeWidth), ' ');
  return out;
}

std::string reason_of(const Check& check) {
  if (!check.error) return check.detail;
  std::string out = check.error->to_string();
  if (!check.detail.empty()) out.append(" [").append(check.detail).append("]");
  return out;
}

std::string line_of(const DossierVerdict& verdict, std::size_t i, const Painter& paint) {
  const Check& check = verdict.checks[i];
  std::string out = "  " + paint(padded(to_string(check.outcome)), colour_of(verdict, check));
  out.append(check.title.view());
  if (const std::string reason = printable(reason_of(check)); !reason.empty()) out.append(": ").append(reason);
  if (check.outcome == Outcome::kPassed) out.append(" (").append(to_string(check.voucher)).append(")");
  if (check.outcome == Outcome::kNotChecked && !verdict.required[i]) out.append(" (not required)");
  return out += "\n";
}

Json text_json(std::string_view text) { return Json(boost::json::string_view(text.data(), text.size())); }

Json receipt_json(const DossierVerdict& verdict) {
  if (!verdict.receipt) return nullptr;
  const AirClaims& claims = verdict.receipt->claims();
  JsonObject out;
  out["id"] = text_json(format_cti(claims.cti));
  out["issuer"] = text_json(claims.issuer);
  out["issued_at"] = text_json(rfc3339(claims.issued_at));
  out["model_id"] = text_json(claims.model_id);
  out["model_version"] = text_json(claims.model_version);
  out["model_hash"] = text_json(hex(claims.model_hash));
  out["request_hash"] = text_json(hex(claims.request_hash));
  out["response_hash"] = text_json(hex(claims.response_hash));
  out["sequence_number"] = claims.sequence_number;
  out["security_mode"] = text_json(to_string(claims.mode));
  out["measurement_type"] = text_json(to_string(claims.measurements.type));
  out["signer"] = text_json(hex(verdict.receipt->signer()));
  out["sha256"] = text_json(hex(verdict.receipt->hash()));
  return out;
}

Json evidence_json(const DossierVerdict& verdict) {
  if (!verdict.peer) return nullptr;
  JsonObject out;
  out["kind"] = text_json(to_string(verdict.peer->kind));
  out["rule"] = text_json(verdict.peer->rule);
  out["evaluation"] = verdict.peer->evaluation;
  out["sha256"] = text_json(hex(verdict.peer->evidence_hash));
  return out;
}

Json check_json(const DossierVerdict& verdict, std::size_t i) {
  const Check& check = verdict.checks[i];
  JsonObject out;
  out["id"] = text_json(check.id);
  out["title"] = text_json(check.title.view());
  out["outcome"] = text_json(to_string(check.outcome));
  out["required"] = static_cast<bool>(verdict.required[i]);
  out["voucher"] = text_json(to_string(check.voucher));
  out["detail"] = text_json(check.detail);
  out["error"] = check.error ? text_json(check.error->code().name) : Json(nullptr);
  const std::string air = check.error ? air_code(*check.error) : std::string();
  out["air_code"] = air.empty() ? Json(nullptr) : text_json(air);
  return out;
}

}  // namespace

std::string render_text(const DossierVerdict& verdict, Colour colour) {
  const Painter paint(colour);
  std::string headline = paint(summary_of(verdict), colour_of(verdict));
  if (colour == Colour::kAnsi) headline.insert(0, kBold);
  std::string out = headline + "\n";
  for (std::size_t i = 0; i < verdict.checks.size(); ++i) out += line_of(verdict, i, paint);
  return out;
}

std::string render_json(const DossierVerdict& verdict) {
  JsonObject out;
  out["verdict"] = text_json(to_string(verdict.verdict));
  out["exit_code"] = exit_code(verdict.verdict);
  out["summary"] = text_json(summary_of(verdict));
  out["assurance"] = text_json(assurance_of(verdict));
  out["evaluation"] = verdict.evaluation;
  out["receipt"] = receipt_json(verdict);
  out["evidence"] = evidence_json(verdict);
  JsonArray checks;
  for (std::size_t i = 0; i < verdict.checks.size(); ++i) checks.push_back(check_json(verdict, i));
  out["checks"] = std::move(checks);
  return compact_json(out) + "\n";
}

}  // namespace eml
