#include "attestation/tdx/requirements.h"

#include <algorithm>
#include <string_view>

#include "attestation/tdx/errors.h"
#include "attestation/text.h"

namespace eml::tdx {
namespace {

constexpr unsigned kSeptVeDisable = 28;  // bit of TDATTRIBUTES

// Each reader leaves its target alone if there is no such member, and says whether a member that is there is good.
template <std::size_t n>
bool read_hex(const JsonObject& json, std::string_view name, std::optional<ByteArray<n>>& out) {
  if (!json.contains(name)) return true;
  const auto text = json_text(json, name);
  if (text) out = hex_array<n>(*text);
  return out.has_value();
}

bool read_bool(const JsonObject& json, std::string_view name, bool& out) {
  if (!json.contains(name)) return true;
  const auto value = json_bool(json, name);
  if (value) out = *value;
  return value.has_value();
}

bool read_number(const JsonObject& json, std::string_view name, std::optional<std::uint64_t>& out) {
  if (!json.contains(name)) return true;
  const auto value = json_uint(json, name);
  if (value) out = *value;
  return value.has_value();
}

bool read_statuses(const JsonObject& json, std::optional<std::vector<TcbStatus>>& out) {
  if (!json.contains("accept_tcb_status")) return true;
  const auto words = json_array(json, "accept_tcb_status");
  if (!words) return false;
  out.emplace();
  for (const Json& word : **words) {
    const auto status = word.is_string() ? parse_tcb_status(std::string_view(word.get_string())) : std::nullopt;
    if (!status || is_refused(*status)) return false;
    out->push_back(*status);
  }
  return true;
}

Status appraise_measurements(const VerifiedQuote& verified, const Requirements& requirements) {
  const TdReport* td = verified.quote.td();
  const auto holds = [&](const std::optional<Hash48>& wanted, const Hash48* has) {
    return !wanted || (has != nullptr && *has == *wanted);
  };
  bool all = holds(requirements.mrtd, td == nullptr ? nullptr : &td->mrtd);
  for (std::size_t i = 0; i < requirements.rtmr.size(); ++i) {
    all = holds(requirements.rtmr[i], td == nullptr ? nullptr : &td->rtmr[i]) && all;
  }
  if (!all) return fail(kMeasurementMismatch, "a measurement is another one than required");
  return {};
}

bool has_service_td(const TdReport& td) {
  return td.mrservicetd && std::ranges::any_of(*td.mrservicetd, [](std::uint8_t byte) { return byte != 0; });
}

Status appraise_attributes(const VerifiedQuote& verified, const Requirements& requirements) {
  const TdReport* td = verified.quote.td();
  if (!requirements.allow_debug && verified.quote.debug()) return fail(kDebugEnabled, "debug mode is on");
  if (requirements.require_sept_ve_disable && (td == nullptr || !td->attribute(kSeptVeDisable))) {
    return fail(kTdAttributes, "SEPT_VE_DISABLE is not set");
  }
  if (!requirements.allow_service_td && td != nullptr && has_service_td(*td)) {
    return fail(kServiceTd, "a service TD is bound to the domain");
  }
  return {};
}

Status appraise_tcb(const VerifiedQuote& verified, const Requirements& requirements) {
  const std::uint64_t number = std::min(verified.tcb_info_number, verified.qe_identity_number);
  const std::uint64_t minimum = requirements.min_tcb_evaluation_data_number.value_or(0);
  if (number < minimum) return fail(kTcbEvaluationTooOld, "the collateral is of an older evaluation", minimum, number);
  const auto& accepted = requirements.accept_tcb_status;
  if (accepted && std::ranges::find(*accepted, verified.tcb.status) == accepted->end()) {
    return fail(kTcbStatus, "the TCB status is not among those accepted");
  }
  return {};
}

}  // namespace

Result<Requirements> decode_requirements(const Json* json) {
  Requirements out;
  if (json == nullptr || json->is_null()) return out;
  if (!json->is_object()) return fail(kRequirements, "the requirements are no object");
  const JsonObject& object = json->get_object();
  const bool known = expect_members(object, {"report_data", "mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "allow_debug",
                                             "require_sept_ve_disable", "allow_service_td",
                                             "min_tcb_evaluation_data_number", "accept_tcb_status"})
                         .has_value();
  if (!known) return fail(kRequirements, "the requirements have an unknown member");
  const bool good = read_hex(object, "report_data", out.report_data) && read_hex(object, "mrtd", out.mrtd) &&
                    read_hex(object, "rtmr0", out.rtmr[0]) && read_hex(object, "rtmr1", out.rtmr[1]) &&
                    read_hex(object, "rtmr2", out.rtmr[2]) && read_hex(object, "rtmr3", out.rtmr[3]) &&
                    read_bool(object, "allow_debug", out.allow_debug) &&
                    read_bool(object, "require_sept_ve_disable", out.require_sept_ve_disable) &&
                    read_bool(object, "allow_service_td", out.allow_service_td) &&
                    read_number(object, "min_tcb_evaluation_data_number", out.min_tcb_evaluation_data_number) &&
                    read_statuses(object, out.accept_tcb_status);
  if (!good) return fail(kRequirements, "a requirement has another type or value than it may");
  return out;
}

Status refuse_status(const TcbVerdict& tcb) {
  if (is_refused(tcb.status)) return fail(kTcbStatus, "the platform's TCB is revoked or has no level");
  return {};
}

Status appraise_quote(const VerifiedQuote& quote, const Requirements& requirements) {
  if (requirements.report_data && *requirements.report_data != quote.quote.report_data()) {
    return fail(kReportDataMismatch, "REPORTDATA is another one than required");
  }
  EML_CHECK(appraise_measurements(quote, requirements));
  EML_CHECK(appraise_attributes(quote, requirements));
  return appraise_tcb(quote, requirements);
}

}  // namespace eml::tdx
