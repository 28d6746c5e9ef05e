#include "attestation/confidential_space/requirements.h"

#include <algorithm>
#include <array>

#include "attestation/confidential_space/token.h"

namespace eml::confidential_space {
namespace {

constexpr std::string_view kGoogleIssuer = "https://confidentialcomputing.googleapis.com";
constexpr std::int64_t kGooglePen = 11129;  // IANA private enterprise number

struct TextMember {
  std::string_view name;
  std::optional<std::string> Requirements::* field;
};
constexpr std::array kTextMembers = {
    TextMember{"audience", &Requirements::audience},
    TextMember{"nonce", &Requirements::nonce},
    TextMember{"image_digest", &Requirements::image_digest},
    TextMember{"require_dbgstat", &Requirements::dbgstat},
    TextMember{"require_support_attribute", &Requirements::support_attribute},
    TextMember{"hwmodel", &Requirements::hwmodel},
    TextMember{"require_nvidia_gpu_cc_mode", &Requirements::nvidia_gpu_cc_mode},
    TextMember{"google_service_account", &Requirements::google_service_account},
    TextMember{"restart_policy", &Requirements::restart_policy},
    TextMember{"require_tdx_tcb", &Requirements::tdx_tcb},
};

struct BoolMember {
  std::string_view name;
  std::optional<bool> Requirements::* field;
};
constexpr std::array kBoolMembers = {
    BoolMember{"require_secboot", &Requirements::secboot},
    BoolMember{"allow_env_override", &Requirements::allow_env_override},
    BoolMember{"allow_cmd_override", &Requirements::allow_cmd_override},
};

Status read_member(Requirements& out, std::string_view name, const Json& value) {
  const auto text = std::ranges::find(kTextMembers, name, &TextMember::name);
  if (text != kTextMembers.end()) {
    if (!value.is_string()) return fail(kPolicy, "a requirement is not a string");
    out.*(text->field) = std::string(value.get_string());
    return {};
  }
  const auto boolean = std::ranges::find(kBoolMembers, name, &BoolMember::name);
  if (boolean == kBoolMembers.end()) return fail(kPolicy, "a requirement is not one that this kind has");
  if (!value.is_bool()) return fail(kPolicy, "a requirement is not true or false");
  out.*(boolean->field) = value.get_bool();
  return {};
}

// Nothing is there to compare if the requirement is absent.
bool met(const std::optional<std::string>& wanted, const std::optional<std::string_view>& got) {
  return !wanted || (got && *got == *wanted);
}

bool met(const std::optional<std::string>& wanted, const std::vector<std::string_view>& got) {
  return !wanted || std::ranges::find(got, *wanted) != got.end();
}

// A time that is there must be an integer; one that is absent is judged by its own step.
Status times_are_integers(const Claims& claims) {
  for (const std::string_view name : {"exp", "nbf", "iat"}) {
    if (claims.find({name}) != nullptr && !claims.integer({name}))
      return fail(kParse, "exp, nbf or iat is not an integer");
  }
  return {};
}

Status check_times(const Claims& claims, UnixSeconds time) {
  // Differences would overflow on a token's numbers; T, which is ours, is moved instead.
  const auto expires = claims.integer({"exp"});
  if (!expires || time - kLeewaySeconds >= *expires) return fail(kExpired, "the token has expired, or has no exp");
  for (const std::string_view name : {"nbf", "iat"}) {
    const auto start = claims.integer({name});
    if (!start || time + kLeewaySeconds < *start)
      return fail(kNotYetValid, "the token is not valid yet, or has no nbf or iat");
  }
  return {};
}

}  // namespace

Result<Requirements> decode_requirements(const Json& json) {
  const JsonObject* const object = json.if_object();
  if (object == nullptr) return fail(kPolicy, "the requirements are not a JSON object");
  Requirements out;
  for (const auto& member : *object) EML_CHECK(read_member(out, member.key(), member.value()));
  return out;
}

Status check_token(const Claims& claims, UnixSeconds time) {
  EML_CHECK(times_are_integers(claims));
  if (claims.text({"iss"}) != kGoogleIssuer) return fail(kIssuer, "the token is of another issuer");
  EML_CHECK(check_times(claims, time));
  if (claims.text({"swname"}) != "CONFIDENTIAL_SPACE")
    return fail(kSoftware, "the token is of other software than Confidential Space");
  if (claims.integer({"oemid"}) != kGooglePen) return fail(kOemId, "the token is of another maker's machine");
  return {};
}

Status appraise(const Claims& claims, const Requirements& wanted) {
  if (!met(wanted.audience, claims.text({"aud"}))) return fail(kAudience, "the token is for another audience");
  if (!met(wanted.nonce, claims.texts({"eat_nonce"}))) return fail(kNonceMismatch, "the token has not the nonce");
  if (!met(wanted.dbgstat, claims.text({"dbgstat"})))
    return fail(kDebugImage, "the image is for debugging, or does not say that it is not");
  if (!met(wanted.support_attribute, claims.texts({"submods", "confidential_space", "support_attributes"})))
    return fail(kSupportAttributes, "the image has not the support attribute");
  if (wanted.secboot && claims.boolean({"secboot"}) != wanted.secboot)
    return fail(kSecureBoot, "secure boot is not as required");
  if (!met(wanted.hwmodel, claims.text({"hwmodel"}))) return fail(kHardwareModel, "the hardware is another model");
  if (!met(wanted.tdx_tcb, claims.tdx_status())) return fail(kTdxTcb, "the TCB status is another");
  if (!met(wanted.nvidia_gpu_cc_mode, claims.text({"submods", "nvidia_gpu", "cc_mode"})))
    return fail(kGpuCc, "the GPU is not in the required mode");
  if (!met(wanted.image_digest, claims.text({"submods", "container", "image_digest"})))
    return fail(kImageDigest, "the container image is another");
  if (!met(wanted.google_service_account, claims.texts({"google_service_accounts"})))
    return fail(kServiceAccount, "the workload runs under another service account");
  if (wanted.allow_env_override == false && claims.is_filled({"submods", "container", "env_override"}))
    return fail(kEnvOverride, "the operator overrides environment variables");
  if (wanted.allow_cmd_override == false && claims.is_filled({"submods", "container", "cmd_override"}))
    return fail(kCmdOverride, "the operator overrides the command");
  if (!met(wanted.restart_policy, claims.text({"submods", "container", "restart_policy"})))
    return fail(kRestartPolicy, "the restart policy is another");
  return {};
}

}  // namespace eml::confidential_space
