// Step 7 of docs/spec/evidence/tpm.md.
#include "attestation/tpm/key_trust.h"

#include <algorithm>
#include <boost/json/object.hpp>

#include "attestation/sevsnp/sevsnp.h"
#include "attestation/tpm/td_quote.h"
#include "crypto/hash.h"

namespace eml {
namespace {

Result<std::vector<Certificate>> given_certificates(ByteView bytes) {
  if (auto der = Certificate::decode_der(bytes)) return std::vector<Certificate>{*std::move(der)};
  return decode_pem_certificates(bytes);
}

// trusted_roots: a root that the caller gives stands in place of all that are built in.
Result<std::vector<Hash32>> trusted_roots(const EvidenceInput& input, std::span<const Hash32> pinned) {
  std::vector<Hash32> out;
  if (!input.root) {
    out.assign(pinned.begin(), pinned.end());
    return out;
  }
  const auto given = given_certificates(*input.root);
  if (!given) return fail(kTpmRootParse, "the given root is neither DER nor PEM");
  for (const Certificate& each : *given) out.push_back(each.fingerprint());
  return out;
}

// known_roots are root certificates that a chain may lack at its end; none is trusted for being here.
Result<std::vector<Certificate>> known_roots(const EvidenceInput& input) {
  std::vector<Certificate> out;
  if (input.root) {
    EML_TRY(out, given_certificates(*input.root));
  }
  if (const auto more = collateral_of(input, "root")) {
    const auto certificates = given_certificates(*more);
    if (!certificates) return fail(kTpmRootParse, "the collateral's root is neither DER nor PEM");
    out.insert(out.end(), certificates->begin(), certificates->end());
  }
  return out;
}

bool is_date(const ErrorCode& code) { return code == kSnpCertificateExpired || code == kSnpCertificateNotYetValid; }

UnixSeconds latest_beginning(const SnpEndorsements& endorsements) {
  UnixSeconds out = endorsements.vek.not_before();
  for (const Certificate& each : endorsements.ca_chain) out = std::max(out, each.not_before());
  return out;
}

// Trust judges one piece of collateral after the other; each may say more of the key than the one before.
class Trust {
 public:
  Trust(Steps& steps, const EvidenceInput& input, const AttestationKey* key)
      : steps_(steps), input_(input), key_(key) {}

  KeyTrust run() {
    judge("tpm-ak-certificate", "the key's certificate leads to a pinned root", Voucher::kVendorService, "ak_chain",
          [&] { return ak_chain(); });
    judge("tpm-ek-certificate", "the endorsement key's certificates agree", Voucher::kOperator, "ek_cert",
          [&] { return ek_chain(); });
    judge("tpm-runtime-data", "runtime data holds the key and is in the hardware's report", Voucher::kHardware,
          "hcl_report", [&] { return runtime_data(); });
    judge_hardware();
    return std::move(out_);
  }

 private:
  template <typename Check>
  void judge(std::string_view id, Literal title, Voucher voucher, std::string_view name, Check&& check) {
    if (!collateral_of(input_, name)) return steps_.leave_out({id, title, voucher}, "the collateral has none");
    steps_.run({id, title, voucher}, std::forward<Check>(check));
  }

  Status ak_chain() {
    EML_TRY(const std::vector<Hash32> roots, trusted_roots(input_, tpm_pinned_roots()));
    EML_TRY(const std::vector<Certificate> known, known_roots(input_));
    EML_TRY(const ByteView pem, required_collateral(input_, "ak_chain"));
    auto above = decode_pem_certificates(pem);
    if (!above) return fail(kTpmAkParse, "the certificates above the key's are not PEM");
    std::vector<Certificate> chain;
    if (key_->certificate) chain.push_back(*key_->certificate);
    for (const Certificate& each : *above) {
      if (chain.empty() || each.der() != chain.front().der()) chain.push_back(each);
    }
    if (chain.front().public_key().spki() != key_->key.spki()) {
      return fail(kTpmAkMismatch, "the certificates are of another key");
    }
    EML_TRY(const Hash32 root, verify_ak_chain(chain, roots, known, input_.time));
    out_.word = "certificate";
    out_.root = hex(root);
    return {};
  }

  Status ek_chain() {
    EML_TRY(const ByteView der, required_collateral(input_, "ek_cert"));
    auto ek = Certificate::decode_der(der);
    if (!ek) return fail(kTpmEkCert, "the endorsement certificate is not one");
    if (const auto pem = collateral_of(input_, "ek_pub_pem")) {
      const auto key = PublicKey::decode_pem(*pem);
      if (!key || key->spki() != ek->public_key().spki()) {
        return fail(kTpmEkCert, "the endorsement certificate is of another key");
      }
    }
    EkCertificates certificates{.ek = *std::move(ek), .above = {}};
    for (const std::string_view name : {"ek_ca", "ek_root"}) {
      const auto bytes = collateral_of(input_, name);
      if (!bytes) continue;
      auto more = given_certificates(*bytes);
      if (!more) return fail(kTpmEkChain, "a certificate above the endorsement key's is not one");
      certificates.above.insert(certificates.above.end(), more->begin(), more->end());
    }
    out_.ek_root = certificates.above.empty() ? "" : "collateral";
    return verify_ek_chain(certificates, input_.time);
  }

  Status runtime_data() {
    EML_TRY(const ByteView bytes, required_collateral(input_, "hcl_report"));
    EML_TRY(hcl_, decode_hcl_report(bytes));
    if (const auto json = collateral_of(input_, "runtime_data_json"); json && !equal(*json, hcl_->runtime_data)) {
      return fail(kTpmRuntimeDataBinding, "the runtime data is not that of the report");
    }
    EML_CHECK(expect_runtime_data(hcl_report_data(*hcl_), hcl_->runtime_data));
    EML_TRY(const PublicKey key, hcl_attestation_key(hcl_->runtime_data));
    if (key.spki() != key_->key.spki()) return fail(kTpmAkMismatch, "the runtime data names another key");
    out_.azure_hcl = JsonObject{{"hcl_report_type", static_cast<unsigned>(hcl_->type)},
                                {"hcl_hash_type", hcl_->hash_type},
                                {"runtime_data_hash", hex(sha256(hcl_->runtime_data))}};
    const bool snp = hcl_->type == HclReportType::kSnp;
    (*out_.azure_hcl)[snp ? "report_data_binds_runtime_data" : "tdreport_report_data_binds_runtime_data"] = true;
    return {};
  }

  void judge_hardware() {
    const bool snp = hcl_ && hcl_->type == HclReportType::kSnp;
    const bool tdx = hcl_ && hcl_->type == HclReportType::kTdx;
    if (!snp && !tdx) return;
    if (snp) return judge_snp();
    judge_tdx_quote();
  }

  void judge_snp() {
    bool dates_only = false;
    const Status genuine = steps_.failed() ? Status() : snp_report(dates_only);
    if (genuine && dates_only) {
      return steps_.leave_out({"tpm-snp-report", "the SNP report is genuine", Voucher::kHardware},
                              "a certificate of the processor's key is out of date");
    }
    steps_.run({"tpm-snp-report", "the SNP report is genuine", Voucher::kHardware}, [&] { return genuine; });
    if (!collateral_of(input_, "snp_crl")) {
      return steps_.leave_out({"tpm-snp-revocation", "AMD has not revoked the key's issuer", Voucher::kVendorService},
                              "the collateral has no revocation list");
    }
    steps_.run({"tpm-snp-revocation", "AMD has not revoked the key's issuer", Voucher::kVendorService},
               [&] { return verify_snp_revocation(*vek_, *collateral_of(input_, "snp_crl"), input_.time); });
  }

  // Evidence outlives its certificates. Where only their dates do not hold, nobody vouches for the key any more, which
  // is no reason to doubt the rest; so the rest is verified as of a time at which they held.
  Status snp_report(bool& dates_only) {
    if (const auto bytes = collateral_of(input_, "snp_report"); bytes && !equal(*bytes, hcl_->hardware_report)) {
      return fail(kTpmHclReport, "the SNP report is not the one in the HCL report");
    }
    EML_TRY(const std::vector<Hash32> roots, trusted_roots(input_, snp_pinned_roots()));
    EML_TRY(const ByteView vcek, required_collateral(input_, "vcek"));
    EML_TRY(const ByteView ca_chain, required_collateral(input_, "snp_ca_chain"));
    EML_TRY(const SnpEndorsements endorsements, decode_snp_endorsements(vcek, ca_chain));
    auto vek = verify_snp_endorsements(endorsements, roots, input_.time);
    dates_only = !vek && is_date(vek.error().code());
    if (dates_only) vek = verify_snp_endorsements(endorsements, roots, latest_beginning(endorsements));
    if (!vek) return std::unexpected(vek.error());
    EML_TRY(const UnverifiedSnpReport report, decode_snp_report(hcl_->hardware_report));
    EML_TRY(const VerifiedSnpReport verified, verify_snp_report(report, *vek));
    // Only the paravisor runs at VMPL 0; a guest below it could ask for a report over runtime data of its own.
    if (verified.report.vmpl != 0) return fail(kTpmHclReport, "the SNP report was not asked for by the paravisor");
    if (!dates_only) accept_snp(verified);
    return {};
  }

  void accept_snp(const VerifiedSnpReport& verified) {
    vek_ = verified.vek;
    out_.word = "hardware";
    out_.root = hex(verified.vek.ark.fingerprint());
    out_.debug = verified.report.debug_allowed();
    out_.measurement = to_bytes(ByteView(verified.report.measurement));
    (*out_.azure_hcl)["measurement"] = hex(out_.measurement);
  }

  void judge_tdx_quote() {
    steps_.run({"tpm-td-quote", "a TD quote is over the same runtime data", Voucher::kHardware}, [&]() -> Status {
      EML_TRY(const ByteView quote, required_collateral(input_, "td_quote"));
      EML_CHECK(expect_td_quote_binding(quote, hcl_->runtime_data));
      (*out_.azure_hcl)["td_quote_report_data_binds_runtime_data"] = true;
      return {};
    });
    if (!collateral_of(input_, "tcb_info")) {
      return steps_.leave_out({"tpm-td-quote-genuine", "the TD quote is genuine", Voucher::kHardware},
                              "the collateral has nothing of Intel's");
    }
    steps_.run({"tpm-td-quote-genuine", "the TD quote is genuine", Voucher::kHardware}, [&]() -> Status {
      EML_TRY(const ByteView quote, required_collateral(input_, "td_quote"));
      EML_TRY(const TdQuoteTrust trust, verify_td_quote(quote, input_));
      out_.word = "hardware";
      out_.root = trust.root;
      out_.debug = trust.debug;
      out_.measurement = trust.measurement;
      (*out_.azure_hcl)["measurement"] = hex(out_.measurement);
      return {};
    });
  }

  Steps& steps_;
  const EvidenceInput& input_;
  const AttestationKey* key_;
  KeyTrust out_;
  std::optional<HclReport> hcl_;
  std::optional<VerifiedVek> vek_;
};

}  // namespace

KeyTrust judge_key_trust(Steps& steps, const EvidenceInput& input, const AttestationKey* key) {
  return Trust(steps, input, key).run();
}

}  // namespace eml
