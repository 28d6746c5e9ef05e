#include "attestation/tdx/tcb_match.h"

#include <algorithm>

#include "attestation/tdx/errors.h"

namespace eml::tdx {
namespace {

// at_least compares components from index `from` on: every one, not the string of them.
bool at_least(const ByteArray<16>& have, const ByteArray<16>& level, std::size_t from = 0) {
  for (std::size_t i = from; i < have.size(); ++i) {
    if (have[i] < level[i]) return false;
  }
  return true;
}

struct MatchedLevels {
  const TcbLevel* sgx = nullptr;
  const TcbLevel* platform = nullptr;  // the TDX level of a TD, the SGX level of an enclave
};

MatchedLevels match_levels(const TcbInfo& info, const PckExtension& pck, const TdReport* td) {
  MatchedLevels out;
  for (const TcbLevel& level : info.levels) {
    if (!at_least(pck.components, level.sgx) || pck.pcesvn < level.pcesvn) continue;
    if (out.sgx == nullptr) out.sgx = &level;
    // With a module version the module's identity judges the first two.
    const std::size_t from = td != nullptr && td->tee_tcb_svn[1] > 0 ? 2 : 0;
    if (td != nullptr && !at_least(td->tee_tcb_svn, level.tdx, from)) continue;
    out.platform = &level;
    break;
  }
  return out;
}

// The module that runs now, where the domain was launched on an older one.
struct RunningNow {
  std::uint16_t svn;      // TEE_TCB_SVN2[0]
  std::uint16_t version;  // TEE_TCB_SVN2[1]
};

Result<bool> module_is_newest(RunningNow now, const TcbInfo& info) {
  if (now.version == 0) return now.svn >= info.levels.front().tdx[0];
  const TdxModuleIdentity* identity = find_identity(info, static_cast<std::uint8_t>(now.version));
  if (identity == nullptr) return fail(kTdxModuleMismatch, "the module that runs now has no identity", now.version);
  return now.svn >= identity->levels.front().isvsvn;
}

bool may_relaunch(const TcbVerdict& so_far, TcbStatus sgx) {
  const bool sgx_current = sgx == TcbStatus::kUpToDate || sgx == TcbStatus::kSwHardeningNeeded ||
                           sgx == TcbStatus::kConfigurationNeeded ||
                           sgx == TcbStatus::kConfigurationAndSwHardeningNeeded;
  return so_far.qe == TcbStatus::kUpToDate && sgx_current &&
         (so_far.status == TcbStatus::kOutOfDate || so_far.status == TcbStatus::kOutOfDateConfigurationNeeded) &&
         so_far.module == TcbStatus::kOutOfDate;
}

Status apply_relaunch(TcbVerdict& verdict, TcbStatus sgx, const TdReport& td, const TcbInfo& info) {
  if (!td.tee_tcb_svn2 || !may_relaunch(verdict, sgx)) return {};
  const TcbSvn& now = *td.tee_tcb_svn2;
  EML_TRY(const bool newest, module_is_newest({.svn = now[0], .version = now[1]}, info));
  if (!newest || now[2] < info.levels.front().tdx[2]) return {};
  verdict.status = needs_configuration(sgx) || needs_configuration(verdict.status)
                       ? TcbStatus::kRelaunchAdvisedConfigurationNeeded
                       : TcbStatus::kRelaunchAdvised;
  return {};
}

void add_advisories(TcbVerdict& verdict, const std::vector<std::string>& more) {
  verdict.advisories.insert(verdict.advisories.end(), more.begin(), more.end());
  std::ranges::sort(verdict.advisories);
  const auto twins = std::ranges::unique(verdict.advisories);
  verdict.advisories.erase(twins.begin(), twins.end());
}

void apply_module(TcbVerdict& verdict, const TdReport& td, const TcbInfo& info) {
  if (td.tee_tcb_svn[1] == 0) return;
  const TdxModuleIdentity* identity = find_identity(info, td.tee_tcb_svn[1]);
  const SvnLevel* level = identity == nullptr ? nullptr : best_level(identity->levels, td.tee_tcb_svn[0]);
  verdict.module = level == nullptr ? TcbStatus::kTcbNotSupported : level->status;
  verdict.status = converge(verdict.status, *verdict.module);
  if (level != nullptr) add_advisories(verdict, level->advisories);
}

}  // namespace

Result<TcbVerdict> evaluate_tcb(const UnverifiedQuote& quote, const PckExtension& pck, const TcbInfo& info,
                                const QeIdentity& qe) {
  TcbVerdict out;
  const SvnLevel* qe_level = best_level(qe.levels, quote.qe_report.isv_svn);
  if (qe_level != nullptr) out.qe = qe_level->status;
  const TdReport* td = quote.td();
  const MatchedLevels matched = match_levels(info, pck, td);
  if (matched.platform == nullptr) return out;
  out.platform = matched.platform->status;
  out.status = matched.platform->status;
  out.date = matched.platform->date;
  add_advisories(out, matched.platform->advisories);
  if (td != nullptr) {
    apply_module(out, *td, info);
    if (is_refused(out.status)) return out;
    EML_CHECK(apply_relaunch(out, matched.sgx->status, *td, info));
  }
  out.status = converge(out.status, out.qe);
  return out;
}

}  // namespace eml::tdx
