#include "attestation/judge.h"

#include <array>

#include "attestation/confidential_space/claims.h"
#include "attestation/confidential_space/requirements.h"
#include "attestation/confidential_space/token.h"
#include "attestation/steps.h"
#include "crypto/hash.h"

namespace eml {
namespace {

using namespace confidential_space;

Hash32 google_root() {
  return *to_array<32>(*from_hex(kind_profile(EvidenceKind::kConfidentialSpace).vendor_roots.front()));
}

bool is_json(ByteView bytes) {
  const std::string_view text = as_text(bytes);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

Status use_keys(Anchors& anchors, ByteView json) {
  auto keys = Jwks::decode(json);
  if (!keys) return fail(kParse, "the key set is not well formed");
  anchors.keys = std::move(*keys);
  anchors.keys_hash = sha256(json);
  return {};
}

// A root that the verifier brings is the only one: Google's is not trusted beside it, nor the collateral's keys.
Status use_given_root(Anchors& anchors, ByteView root) {
  if (is_json(root)) return use_keys(anchors, root);
  if (as_text(root).starts_with("-----BEGIN")) {
    const auto certificates = decode_pem_certificates(root, 1);
    if (!certificates) return fail(kPolicy, "the given root is not one PEM certificate");
    anchors.root = certificates->front().fingerprint();
    return {};
  }
  const auto certificate = Certificate::decode_der(root);
  if (!certificate) return fail(kPolicy, "the given root is not a certificate or a key set");
  anchors.root = certificate->fingerprint();
  return {};
}

Result<Anchors> anchors_of(const EvidenceInput& input) {
  Anchors out;
  if (input.root) {
    EML_CHECK(use_given_root(out, *input.root));
    return out;
  }
  out.root = google_root();
  if (input.collateral == nullptr) return out;
  const auto keys = input.collateral->find("jwks");
  if (keys != input.collateral->end()) EML_CHECK(use_keys(out, keys->second));
  return out;
}

// A key that bound itself to this evidence is the only thing in it: with a second nonce, whoever asked for the token
// could have had another purpose.
Bytes signed_value_of(const Claims& claims) {
  const auto nonces = claims.texts({"eat_nonce"});
  return nonces.size() == 1 ? to_bytes(nonces.front()) : Bytes{};
}

std::string platform_of(const Claims& claims) {
  const auto project = claims.text({"submods", "gce", "project_id"});
  const auto accounts = claims.texts({"google_service_accounts"});
  if (!project || accounts.empty()) return {};
  std::string out(*project);
  for (const std::string_view account : accounts) out.append(out.size() == project->size() ? "/" : ",").append(account);
  return out;
}

VerifiedEvidence evidence_of(const Claims& claims, const std::string& root) {
  VerifiedEvidence out{.kind = EvidenceKind::kConfidentialSpace,
                       .signed_value = signed_value_of(claims),
                       .platform_identity = platform_of(claims),
                       .root = root,
                       .debug = !claims.is_production_image()};
  if (const auto digest = claims.image_digest()) out.measurements.emplace("image_digest", to_bytes(ByteView(*digest)));
  if (const auto status = claims.tdx_status()) out.tcb_status = *status;
  out.binds = [audience = std::string(claims.text({"aud"}).value_or(""))](const Binding& binding) -> Status {
    if (audience == (binding.purpose == Purpose::kServe ? "eml serve v1" : "eml release v1")) return {};
    return fail(kAudience, "the token is for another audience than this purpose's");
  };
  return out;
}

void describe(EvidenceVerdict& verdict, const UnverifiedToken& token) {
  verdict.fields = token.claims();
  JsonObject details;
  details["token_type"] = token.is_pki() ? "PKI" : "OIDC";
  if (token.kid()) details["kid"] = *token.kid();
  if (const JsonObject* const claims = token.claims().if_object())
    details["production_image"] = Claims(*claims).is_production_image();
  verdict.details = std::move(details);
}

constexpr Step kRequirementsStep{"confidential-space-requirements", "the requirements can be asked of this kind"};
constexpr Step kFormStep{"confidential-space-form", "the token is well formed"};
constexpr Step kAnchorsStep{"confidential-space-anchors", "what is trusted is well formed"};
constexpr Step kKeyStep{"confidential-space-key", "the signing key is a trusted one"};
constexpr Step kSignatureStep{"confidential-space-signature", "the token is signed by that key"};
constexpr Step kClaimsStep{"confidential-space-claims", "the token is Google's, of Confidential Space, and in date",
                           Voucher::kVendorService};
constexpr Step kAppraisalStep{"confidential-space-appraisal", "the claims are as required", Voucher::kVendorService};
constexpr std::array kSteps{kRequirementsStep, kFormStep,   kAnchorsStep,  kKeyStep,
                            kSignatureStep,    kClaimsStep, kAppraisalStep};

class Judge {
 public:
  explicit Judge(const EvidenceInput& input) : input_(input) {}

  EvidenceVerdict run() {
    verdict_.root_given = input_.root.has_value();
    verdict_.details = JsonObject();
    if (const auto status = judge(); !status) verdict_.error = status.error();
    steps_.finish();
    return std::move(verdict_);
  }

 private:
  Result<Requirements> requirements() const {
    return input_.requirements == nullptr ? Requirements{} : decode_requirements(*input_.requirements);
  }

  Status judge() {
    EML_TRY(const Requirements wanted, steps_.note(kRequirementsStep, requirements()));
    EML_TRY(const UnverifiedToken token, steps_.note(kFormStep, UnverifiedToken::decode(input_.evidence)));
    describe(verdict_, token);
    EML_TRY(const Anchors anchors, steps_.note(kAnchorsStep, anchors_of(input_)));
    EML_TRY(const PublicKey key, steps_.note(kKeyStep, verify_key(token, anchors, input_.time)));
    EML_TRY(const VerifiedToken verified, steps_.note(kSignatureStep, verify(token, key, anchors)));
    const Claims claims(verified.claims);
    EML_CHECK(steps_.note(kClaimsStep, check_token(claims, input_.time)));
    EML_CHECK(steps_.note(kAppraisalStep, appraise(claims, wanted)));
    verdict_.evidence = evidence_of(claims, verified.root);
    verdict_.tcb_status = verdict_.evidence.tcb_status;
    return {};
  }

  const EvidenceInput& input_;
  EvidenceVerdict verdict_;
  Steps steps_{verdict_.checks, kSteps};
};

}  // namespace

EvidenceVerdict judge_confidential_space(const EvidenceInput& input) { return Judge(input).run(); }

}  // namespace eml
