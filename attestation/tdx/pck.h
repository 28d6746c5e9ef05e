// PckChain: the certificates in a quote, from the machine's PCK certificate to the root, and what Intel wrote about the
// machine into it.
// Source: docs/spec/evidence/tdx.md, section 4 and step 2.
#pragma once

#include <cstdint>
#include <optional>

#include "attestation/tdx/quote.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "crypto/x509.h"

namespace eml::tdx {

// PckConfiguration: each member is there or not.
struct PckConfiguration {
  std::optional<bool> dynamic_platform;
  std::optional<bool> cached_keys;
  std::optional<bool> smt_enabled;
};

struct PckExtension {
  ByteArray<16> ppid{};
  ByteArray<16> components{};  // TCB component SVNs 1 to 16
  std::uint16_t pcesvn = 0;
  TcbSvn cpu_svn{};  // not what levels are judged by
  ByteArray<2> pceid{};
  ByteArray<6> fmspc{};
  std::uint8_t sgx_type = 0;
  std::optional<ByteArray<16>> platform_instance_id;
  std::optional<PckConfiguration> configuration;
};

// decode_pck_extension reads the extension's contents: kPckExtension.
Result<PckExtension> decode_pck_extension(ByteView der);

// extension_of decodes the extension of a PCK certificate: kPckExtension, also if there is none.
Result<PckExtension> extension_of(const Certificate& pck);

// PckChain is genuine whenever it exists: verify_pck_chain made it. Its dates are another question.
struct PckChain {
  Certificate pck;
  Certificate ca;
  Certificate root;
  PckExtension extension;
};

// verify_pck_chain is steps 2.1 to 2.6 and 2.8: nothing in it depends on a time. `root` is the SHA-256 of the only
// root. kPckChainUnparsable, kPckChain, kUntrustedRoot, kPckSubject, kPckLeafSignature, kPckCaSignature, kPckExtension.
Result<PckChain> verify_pck_chain(ByteView cert_data, const Hash32& root);

// judge_dates is steps 2.7 and 5.3: kCertificateExpired, kCertificateNotYetValid.
Status judge_dates(const Certificate& certificate, UnixSeconds time);

}  // namespace eml::tdx
