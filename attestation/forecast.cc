#include "attestation/forecast.h"

#include <algorithm>
#include <tuple>

#include "attestation/collateral_form.h"
#include "attestation/confidential_space/claims.h"
#include "attestation/confidential_space/requirements.h"
#include "attestation/confidential_space/token.h"
#include "attestation/nitro/document.h"
#include "attestation/nvidia/nras.h"
#include "attestation/sevsnp/report.h"
#include "attestation/tdx/collateral.h"
#include "attestation/tdx/pck.h"
#include "crypto/jose/jws.h"

namespace eml {
namespace {

using Ends = std::vector<ForecastEnd>;

void add(Ends& out, std::string_view item, const std::optional<CollateralEnd>& end) {
  if (end) out.push_back({.item = std::string(item), .what = end->what, .last = end->last});
}

// --- Ends in the evidence itself ---

void add_quote(Ends& out, ByteView evidence) {
  const auto quote = tdx::decode_quote(evidence);
  if (!quote) return;
  if (const auto chain = decode_pem_certificates(quote->cert_data)) add(out, "evidence", earliest_end(*chain));
}

void add_nitro(Ends& out, ByteView evidence) {
  const auto document = UnverifiedNitroDocument::decode(evidence);
  if (!document) return;
  std::vector<Bytes> ders = document->document().cabundle;
  ders.push_back(document->document().certificate);
  std::vector<Certificate> certificates;
  for (const Bytes& der : ders) {
    if (auto certificate = Certificate::decode_der(der)) certificates.push_back(*std::move(certificate));
  }
  add(out, "evidence", earliest_end(certificates));
}

void add_expiry(Ends& out, const Json& claims, UnixSeconds leeway) {
  if (!claims.is_object()) return;
  const auto expires = confidential_space::Claims(claims.get_object()).integer({"exp"});
  // A year beyond 9999 is no date; it would overflow below.
  if (!expires || *expires > kUnixSecondsMax) return;
  add(out, "evidence", CollateralEnd{.what = "exp", .last = *expires + leeway});
}

void add_google_token(Ends& out, ByteView evidence) {
  const auto token = confidential_space::UnverifiedToken::decode(evidence);
  if (!token) return;
  add(out, "evidence", earliest_end(token->jws().x5c));
  // Google's token is bad from exp on, NVIDIA's after it.
  add_expiry(out, token->claims(), confidential_space::kLeewaySeconds - 1);
}

void add_nvidia_tokens(Ends& out, ByteView evidence) {
  const auto tokens = UnverifiedNrasTokens::decode(evidence);
  if (!tokens) return;
  const auto add_token = [&](std::string_view text) {
    if (const auto jws = decode_jws(as_bytes(text))) add_expiry(out, jws->payload, kNrasLeewaySeconds);
  };
  add_token(tokens->overall);
  for (const auto& [name, token] : tokens->devices) add_token(token);
}

Ends ends_of(std::string_view kind, const EvidenceInput& input) {
  Ends out;
  if (kind == "tdx") add_quote(out, input.evidence);
  if (kind == "nitro") add_nitro(out, input.evidence);
  if (kind == "confidential_space") add_google_token(out, input.evidence);
  if (kind == "nvidia") add_nvidia_tokens(out, input.evidence);
  if (input.collateral != nullptr) {
    for (const auto& [name, bytes] : *input.collateral) {
      if (const auto end = decode_collateral_item(collateral_form(name), bytes)) add(out, name, *end);
    }
  }
  std::ranges::sort(out, {}, [](const ForecastEnd& end) { return std::tie(end.last, end.item); });
  return out;
}

// --- What is behind ---

// The lowest level that is UpToDate; if none is, the highest there is.
template <typename Level>
const Level& wanted_level(const std::vector<Level>& levels) {
  const auto found = std::ranges::find(levels.rbegin(), levels.rend(), tdx::TcbStatus::kUpToDate, &Level::status);
  return found == levels.rend() ? levels.front() : *found;
}

class Gaps {
 public:
  void want(std::string component, std::uint64_t have, std::uint64_t want, std::string_view level) {
    if (have < want) gaps_.push_back({.component = std::move(component), .have = have, .want = want, .level = level});
  }

  void want_components(std::string_view name, const ByteArray<16>& have, const ByteArray<16>& want,
                       std::string_view level, std::size_t from = 0) {
    for (std::size_t i = from; i < have.size(); ++i) {
      this->want(std::string(name) + "[" + std::to_string(i) + "]", have[i], want[i], level);
    }
  }

  void want_svn(std::string component, std::uint64_t have, const std::vector<tdx::SvnLevel>& levels) {
    const tdx::SvnLevel& level = wanted_level(levels);
    want(std::move(component), have, level.isvsvn, tdx::to_string(level.status));
  }

  std::vector<TcbGap> take() { return std::move(gaps_); }

 private:
  std::vector<TcbGap> gaps_;
};

std::optional<ByteView> find(const Collateral* collateral, std::string_view name) {
  if (collateral == nullptr) return std::nullopt;
  const auto found = collateral->find(name);
  return found == collateral->end() ? std::nullopt : std::optional<ByteView>(found->second);
}

void compare_td(Gaps& gaps, const tdx::TdReport& td, const tdx::TcbInfo& info, const tdx::TcbLevel& level) {
  // With a module version the module's identity judges the first two components.
  const std::uint8_t version = td.tee_tcb_svn[1];
  gaps.want_components("tdxtcbcomponents", td.tee_tcb_svn, level.tdx, tdx::to_string(level.status),
                       version > 0 ? 2 : 0);
  if (version == 0) return;
  if (const auto* identity = tdx::find_identity(info, version)) {
    gaps.want_svn("tdx_module", td.tee_tcb_svn[0], identity->levels);
  }
}

std::vector<TcbGap> quote_gaps(const EvidenceInput& input) {
  Gaps gaps;
  const auto quote = tdx::decode_quote(input.evidence);
  if (!quote) return {};
  if (const auto json = find(input.collateral, "qe_identity")) {
    const auto identity = tdx::decode_qe_identity(*json);
    if (identity) gaps.want_svn("qe", quote->qe_report.isv_svn, identity->levels);
  }
  const auto chain = decode_pem_certificates(quote->cert_data);
  const auto json = find(input.collateral, "tcb_info");
  if (!chain || !json) return gaps.take();
  const auto pck = tdx::extension_of(chain->front());
  const auto info = tdx::decode_tcb_info(*json);
  // Levels of another machine say nothing about this one.
  if (!pck || !info || info->fmspc != pck->fmspc) return gaps.take();
  const tdx::TcbLevel& level = wanted_level(info->levels);
  const std::string_view status = tdx::to_string(level.status);
  gaps.want_components("sgxtcbcomponents", pck->components, level.sgx, status);
  gaps.want("pcesvn", pck->pcesvn, level.pcesvn, status);
  if (quote->td() != nullptr && info->id == tdx::TcbInfoId::kTdx) compare_td(gaps, *quote->td(), *info, level);
  return gaps.take();
}

void compare_snp(Gaps& gaps, std::string_view which, const SnpTcb& have, const SnpTcb& current) {
  const std::string name(which);
  gaps.want(name + " bl", have.bootloader, current.bootloader, "current");
  gaps.want(name + " tee", have.tee, current.tee, "current");
  gaps.want(name + " snp", have.snp, current.snp, "current");
  gaps.want(name + " ucode", have.microcode, current.microcode, "current");
  gaps.want(name + " fmc", have.fmc, current.fmc, "current");
}

std::vector<TcbGap> report_gaps(const EvidenceInput& input) {
  const auto decoded = decode_snp_report(input.evidence);
  if (!decoded) return {};
  const SnpReport& report = decoded->report;
  // Reports that do not name their product are older than Turin, whose order is the other one.
  const SnpProduct product = report.product().value_or(SnpProduct::kMilan);
  const SnpTcb current = decode_snp_tcb(product, report.current_tcb);
  Gaps gaps;
  compare_snp(gaps, "reported", decode_snp_tcb(product, report.reported_tcb), current);
  compare_snp(gaps, "committed", decode_snp_tcb(product, report.committed_tcb), current);
  return gaps.take();
}

}  // namespace

Forecast forecast_evidence(const KindVerifier& kind, const EvidenceInput& input) {
  Forecast out{.now = kind.judge(input), .ends = ends_of(kind.name, input), .first = {}, .then = {}, .behind = {}};
  if (kind.name == "tdx") out.behind = quote_gaps(input);
  if (kind.name == "sevsnp") out.behind = report_gaps(input);
  if (out.now.error) return out;
  for (const ForecastEnd& end : out.ends) {
    if (end.last < input.time) continue;
    EvidenceInput later = input;
    later.time = end.last + 1;
    const EvidenceVerdict verdict = kind.judge(later);
    if (!verdict.error) continue;
    out.first = end;
    out.then = verdict.error;
    break;
  }
  return out;
}

}  // namespace eml
