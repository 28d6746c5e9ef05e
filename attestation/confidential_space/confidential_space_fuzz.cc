// Property: no input is a valid token (no private key is here), whether judged under Google's root or under a key set
// of ours; and a verdict that is an error carries no evidence.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "attestation/judge.h"

namespace {

// Source: RFC 7515, appendix A.2: the key of the example, whose token is no Confidential Space token.
constexpr std::string_view kKeys =
    R"({"keys":[{"kty":"RSA","kid":"k1","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-)"
    R"(Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXnd)"
    R"(S5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8)"
    R"(NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}]})";

// A day on which the certificates of known tokens of 2025 are in date, and the tokens are not.
constexpr eml::UnixSeconds kTime = 1757100000;

void judge(eml::ByteView token, bool with_keys) {
  const eml::Collateral keys = {{"jwks", eml::to_bytes(kKeys)}};
  const auto verdict =
      eml::judge_confidential_space({.evidence = token, .collateral = with_keys ? &keys : nullptr, .time = kTime});
  if (!verdict.error || !verdict.evidence.root.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  judge({data, size}, false);
  judge({data, size}, true);
  return 0;
}
