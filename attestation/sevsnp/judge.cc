// judge_sevsnp: the procedure of docs/spec/evidence/sevsnp.md as one list of lines.
#include <boost/json/object.hpp>
#include <utility>

#include "attestation/sevsnp/sevsnp.h"
#include "attestation/sevsnp/vek_cache.h"
#include "attestation/steps.h"

namespace eml {
namespace {

Result<ByteView> collateral(const EvidenceInput& input, std::string_view name) {
  if (input.collateral != nullptr) {
    const auto found = input.collateral->find(name);
    if (found != input.collateral->end()) return ByteView(found->second);
  }
  return fail(kSnpMissingCollateral, "a certificate or list that a report needs is not there");
}

// A given root may come as ARK alone or as KDS's chain: of it, only what names itself as its issuer is a root.
Result<std::vector<Hash32>> roots_of(const EvidenceInput& input) {
  if (!input.root) {
    const auto pinned = snp_pinned_roots();
    return std::vector<Hash32>(pinned.begin(), pinned.end());
  }
  std::vector<Certificate> given;
  if (const auto der = Certificate::decode_der(*input.root)) {
    given.push_back(*der);
  } else {
    auto pem = decode_pem_certificates(*input.root);
    if (!pem) return fail(kSnpRootParse, "the given root is neither DER nor PEM");
    given = *std::move(pem);
  }
  std::vector<Hash32> out;
  for (const Certificate& each : given) {
    if (each.subject() == each.issuer()) out.push_back(each.fingerprint());
  }
  return out;
}

JsonObject tcb_json(const SnpTcb& tcb, SnpProduct product) {
  JsonObject out{{"bl", tcb.bootloader}, {"tee", tcb.tee}, {"snp", tcb.snp}, {"ucode", tcb.microcode}};
  if (product == SnpProduct::kTurin) out["fmc"] = tcb.fmc;
  return out;
}

JsonObject extensions_json(const VerifiedVek& vek) {
  const VekExtensions& in = vek.extensions;
  JsonObject out = tcb_json(in.tcb, vek.product);
  const auto& spare = in.tcb.spare;
  const bool turin = vek.product == SnpProduct::kTurin;
  out["struct"] = in.struct_version;
  out["product"] = in.product_name;
  out["spl4"] = turin ? spare[3] : spare[0];
  out["spl5"] = turin ? spare[0] : spare[1];
  out["spl6"] = turin ? spare[1] : spare[2];
  out["spl7"] = turin ? spare[2] : spare[3];
  if (vek.kind == SnpKeyKind::kVcek) {
    out["hwid"] = hex(in.hw_id);
  } else {
    out["csp_id"] = in.csp_id;
  }
  return out;
}

Json details_of(const VerifiedSnpReport& verified) {
  const SnpReport& report = verified.report;
  const SnpProduct product = verified.vek.product;
  return JsonObject{{"endorsement_key", verified.vek.kind == SnpKeyKind::kVcek ? "VCEK" : "VLEK"},
                    {"vek_extensions", extensions_json(verified.vek)},
                    {"tcb", tcb_json(decode_snp_tcb(product, report.reported_tcb), product)},
                    {"product", to_string(product)},
                    {"debug_allowed", report.debug_allowed()},
                    {"migrate_ma", report.migration_agent_allowed()}};
}

bool at_least(const SnpTcb& tcb, const SnpTcb& minimum) {
  return tcb.bootloader >= minimum.bootloader && tcb.tee >= minimum.tee && tcb.snp >= minimum.snp &&
         tcb.microcode >= minimum.microcode && tcb.fmc >= minimum.fmc;
}

// Appraisal is step 15, with the report that steps 1 to 14 verified.
class Appraisal {
 public:
  Appraisal(Steps& steps, const SnpRequirements& want, const std::optional<VerifiedSnpReport>& verified)
      : steps_(steps), want_(want), verified_(verified) {}

  void run() {
    flags();
    values();
    tcb();
  }

 private:
  // require notes a line: held against the report if it was asked for.
  template <typename Holds>
  void require(std::string_view id, Literal title, bool asked, const ErrorCode& code, Literal what, Holds&& holds) {
    if (!asked) return steps_.leave_out({id, title, Voucher::kHardware}, "the requirements do not ask for it");
    steps_.run({id, title, Voucher::kHardware}, [&]() -> Status {
      if (std::forward<Holds>(holds)(verified_->report)) return {};
      return fail(code, what);
    });
  }

  void flags() {
    require("sevsnp-debug", "the guest cannot be debugged", want_.allow_debug == false, kSnpDebugEnabled,
            "the guest policy allows debugging", [](const SnpReport& r) { return !r.debug_allowed(); });
    require("sevsnp-migration", "no migration agent may be attached", want_.allow_migration_agent == false,
            kSnpMigrationAgent, "the guest policy allows a migration agent",
            [](const SnpReport& r) { return !r.migration_agent_allowed(); });
    require("sevsnp-max-vmpl", "privilege level is not above the highest allowed", want_.max_vmpl.has_value(), kSnpVmpl,
            "the report was asked for at a higher VMPL", [&](const SnpReport& r) { return r.vmpl <= *want_.max_vmpl; });
    require("sevsnp-vmpl", "privilege level is the required one", want_.require_vmpl.has_value(), kSnpVmpl,
            "the report was asked for at another VMPL",
            [&](const SnpReport& r) { return r.vmpl == *want_.require_vmpl; });
  }

  void values() {
    require("sevsnp-report-data", "REPORT_DATA is the required one", want_.report_data.has_value(),
            kSnpReportDataMismatch, "REPORT_DATA is another",
            [&](const SnpReport& r) { return equal(r.report_data, *want_.report_data); });
    require("sevsnp-measurement", "MEASUREMENT is the required one", want_.measurement.has_value(),
            kSnpMeasurementMismatch, "MEASUREMENT is another",
            [&](const SnpReport& r) { return equal(r.measurement, *want_.measurement); });
    require("sevsnp-host-data", "HOST_DATA is the required one", want_.host_data.has_value(), kSnpHostDataMismatch,
            "HOST_DATA is another", [&](const SnpReport& r) { return equal(r.host_data, *want_.host_data); });
  }

  void tcb() {
    require("sevsnp-tcb", "reported TCB is not below the minimum", want_.min_tcb.has_value(), kSnpTcbTooLow,
            "a component of the reported TCB is too low",
            [&](const SnpReport& r) { return at_least(decoded(r.reported_tcb), *want_.min_tcb); });
    require("sevsnp-committed-tcb", "committed TCB is not below the minimum", want_.min_committed_tcb.has_value(),
            kSnpCommittedTcbTooLow, "a component of the committed TCB is too low",
            [&](const SnpReport& r) { return at_least(decoded(r.committed_tcb), *want_.min_committed_tcb); });
    require("sevsnp-firmware", "firmware is committed", want_.require_committed_firmware == true,
            kSnpProvisionalFirmware, "the running firmware is not the committed one",
            [](const SnpReport& r) { return r.current_firmware == r.committed_firmware; });
  }

  SnpTcb decoded(const SnpTcbBytes& bytes) const { return decode_snp_tcb(verified_->vek.product, bytes); }

  Steps& steps_;
  const SnpRequirements& want_;
  const std::optional<VerifiedSnpReport>& verified_;
};

// Judge holds what one step leaves for the next.
class Judge {
 public:
  Judge(const EvidenceInput& input, SnpVekCache* cache) : input_(input), cache_(cache) {
    out_.root_given = input.root.has_value();
  }

  EvidenceVerdict run() {
    out_.fields = JsonObject();
    out_.details = JsonObject();
    Steps steps(out_.checks);
    steps.run({"sevsnp-requirements", "requirements are well formed", Voucher::kVerifiedHere},
              [&] { return read_want(); });
    steps.run({"sevsnp-form", "evidence is a report", Voucher::kVerifiedHere}, [&] { return read_report(); });
    steps.run({"sevsnp-collateral", "certificates and revocation list are there", Voucher::kVerifiedHere},
              [&] { return read_collateral(); });
    steps.run({"sevsnp-chain", "the key is one of AMD's, under a pinned root", Voucher::kVerifiedHere},
              [&] { return verify_key(); });
    // Where the list is missing, a report that is wrong in itself is first called that.
    const bool has_list = collateral(input_, "crl").has_value();
    if (has_list) judge_revocation(steps);
    steps.run({"sevsnp-genuine", "the key signed the report, and they agree", Voucher::kHardware},
              [&] { return verify_report(); });
    if (!has_list) judge_revocation(steps);
    Appraisal(steps, want_, verified_).run();
    out_.error = steps.error();
    return std::move(out_);
  }

 private:
  Status read_want() {
    EML_TRY(want_, decode_snp_requirements(input_.requirements));
    EML_TRY(roots_, roots_of(input_));
    return {};
  }

  Status read_report() {
    EML_TRY(report_, decode_snp_report(input_.evidence));
    out_.fields = snp_report_fields(report_->report);
    return {};
  }

  Status read_collateral() {
    EML_TRY(bytes_.vek, collateral(input_, "vek"));
    EML_TRY(bytes_.ca_chain, collateral(input_, "ca_chain"));
    if (const auto crl = collateral(input_, "crl")) bytes_.crl = *crl;
    bytes_.roots = roots_;
    const VerifiedVek* const known = cache_ != nullptr ? cache_->find(bytes_, input_.time) : nullptr;
    if (known != nullptr) {
      vek_ = *known;
      return {};
    }
    EML_TRY(endorsements_, decode_snp_endorsements(bytes_.vek, bytes_.ca_chain));
    return {};
  }

  Status verify_key() {
    if (!endorsements_) return {};  // known
    EML_TRY(vek_, verify_snp_endorsements(*endorsements_, roots_, input_.time));
    return {};
  }

  void judge_revocation(Steps& steps) {
    steps.run({"sevsnp-revocation", "AMD has not revoked the key's issuer", Voucher::kVendorService},
              [&] { return verify_revocation(); });
  }

  Status verify_revocation() {
    if (!endorsements_) return {};  // known
    EML_CHECK(collateral(input_, "crl"));
    EML_CHECK(verify_snp_revocation(*vek_, bytes_.crl, input_.time));
    if (cache_ != nullptr) cache_->put(bytes_, *vek_);
    return {};
  }

  Status verify_report() {
    EML_TRY(verified_, verify_snp_report(*report_, *vek_));
    out_.evidence = snp_evidence(*verified_);
    out_.details = details_of(*verified_);
    return {};
  }

  const EvidenceInput& input_;
  SnpVekCache* const cache_;
  EvidenceVerdict out_;
  SnpRequirements want_;
  std::vector<Hash32> roots_;
  std::optional<UnverifiedSnpReport> report_;
  std::optional<SnpEndorsements> endorsements_;
  SnpVekBytes bytes_;
  std::optional<VerifiedVek> vek_;
  std::optional<VerifiedSnpReport> verified_;
};

}  // namespace

EvidenceVerdict judge_sevsnp(const EvidenceInput& input) { return Judge(input, nullptr).run(); }

EvidenceVerdict judge_sevsnp(const EvidenceInput& input, SnpVekCache& cache) { return Judge(input, &cache).run(); }

}  // namespace eml
