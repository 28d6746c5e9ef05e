// Section 4 of docs/spec/evidence/sevsnp.md: the closed object of requirements.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "attestation/sevsnp/sevsnp.h"

namespace eml {
namespace {

constexpr std::uint64_t kVmplMax = 3;

std::unexpected<Error> bad(Literal what) { return fail(kSnpRequirements, what); }

Result<std::optional<bool>> boolean(const JsonObject& in, std::string_view name) {
  if (in.if_contains(name) == nullptr) return std::nullopt;
  const auto value = json_bool(in, name);
  if (!value) return bad("a requirement is not true or false");
  return *value;
}

Result<std::optional<std::uint32_t>> vmpl(const JsonObject& in, std::string_view name) {
  if (in.if_contains(name) == nullptr) return std::nullopt;
  const auto value = json_uint(in, name);
  if (!value || *value > kVmplMax) return bad("a VMPL is an integer from 0 to 3");
  return static_cast<std::uint32_t>(*value);
}

Result<std::optional<Bytes>> bytes(const JsonObject& in, std::string_view name, std::size_t size) {
  if (in.if_contains(name) == nullptr) return std::nullopt;
  const auto text = json_text(in, name);
  auto value = text ? from_hex(*text) : std::nullopt;
  if (!value || value->size() != size) return bad("a required value is not hex of the field's size");
  return value;
}

Result<std::uint8_t> component(const JsonObject& in, std::string_view name) {
  if (in.if_contains(name) == nullptr) return std::uint8_t{0};
  const auto value = json_uint(in, name);
  if (!value || *value > 255) return bad("a TCB component is an integer from 0 to 255");
  return static_cast<std::uint8_t>(*value);
}

Result<std::optional<SnpTcb>> tcb(const JsonObject& in, std::string_view name) {
  if (in.if_contains(name) == nullptr) return std::nullopt;
  const auto object = json_object(in, name);
  if (!object || !expect_members(**object, {"bl", "tee", "snp", "ucode", "fmc"})) {
    return bad("a TCB is an object of bl, tee, snp, ucode and fmc");
  }
  SnpTcb out;
  EML_TRY(out.bootloader, component(**object, "bl"));
  EML_TRY(out.tee, component(**object, "tee"));
  EML_TRY(out.snp, component(**object, "snp"));
  EML_TRY(out.microcode, component(**object, "ucode"));
  EML_TRY(out.fmc, component(**object, "fmc"));
  return out;
}

}  // namespace

Result<SnpRequirements> decode_snp_requirements(const Json* json) {
  SnpRequirements out;
  if (json == nullptr) return out;
  const JsonObject* const in = json->if_object();
  if (in == nullptr || !expect_members(*in, {"allow_debug", "allow_migration_agent", "max_vmpl", "require_vmpl",
                                             "report_data", "measurement", "host_data", "min_tcb", "min_committed_tcb",
                                             "require_committed_firmware"})) {
    return bad("the requirements are not an object of this kind's members");
  }
  EML_TRY(out.allow_debug, boolean(*in, "allow_debug"));
  EML_TRY(out.allow_migration_agent, boolean(*in, "allow_migration_agent"));
  EML_TRY(out.max_vmpl, vmpl(*in, "max_vmpl"));
  EML_TRY(out.require_vmpl, vmpl(*in, "require_vmpl"));
  EML_TRY(out.report_data, bytes(*in, "report_data", 64));
  EML_TRY(out.measurement, bytes(*in, "measurement", 48));
  EML_TRY(out.host_data, bytes(*in, "host_data", 32));
  EML_TRY(out.min_tcb, tcb(*in, "min_tcb"));
  EML_TRY(out.min_committed_tcb, tcb(*in, "min_committed_tcb"));
  EML_TRY(out.require_committed_firmware, boolean(*in, "require_committed_firmware"));
  return out;
}

}  // namespace eml
