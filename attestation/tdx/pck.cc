#include "attestation/tdx/pck.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "attestation/tdx/errors.h"
#include "encoding/der.h"

namespace eml::tdx {
namespace {

constexpr std::string_view kSgxExtension = "1.2.840.113741.1.13.1";
constexpr std::string_view kPckName = "Intel SGX PCK Certificate";
constexpr std::string_view kPlatformCa = "Intel SGX PCK Platform CA";
constexpr std::string_view kProcessorCa = "Intel SGX PCK Processor CA";

// The extension's OID as it is encoded; its members' OIDs are one or two arcs longer, each below 128.
constexpr ByteArray<9> kPrefix{0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

std::unexpected<Error> malformed(Literal what) { return fail(kPckExtension, what); }

// members_of calls `member(arc, value)` for each (OID, value) of a sequence, where arc is what follows `prefix` in the
// OID. OIDs that are not one arc below the prefix are Intel's to add, and skipped. Arcs up to 31 must not come twice.
template <typename Member>
Status members_of(DerReader sequence, ByteView prefix, Member member) {
  std::uint32_t seen = 0;
  while (!sequence.at_end()) {
    EML_TRY(DerReader pair, sequence.enter(der::kSequence));
    EML_TRY(const ByteView oid, pair.oid());
    if (oid.size() == prefix.size() + 1 && equal(oid.first(prefix.size()), prefix) && oid.back() < 32) {
      const std::uint32_t bit = std::uint32_t{1} << oid.back();
      if ((seen & bit) != 0) return malformed("the SGX extension has a member twice");
      seen |= bit;
      EML_CHECK(member(oid.back(), pair));
    } else {
      EML_CHECK(pair.any());
    }
    EML_CHECK(pair.expect_end());
  }
  return {};
}

// bits_from_1 is what `seen` must contain if arcs 1 to n are required.
class Required {
 public:
  explicit Required(unsigned arcs) : arcs_(arcs) {}
  void found(unsigned arc) { found_ |= std::uint32_t{1} << arc; }
  bool all() const {
    for (unsigned arc = 1; arc <= arcs_; ++arc) {
      if ((found_ & (std::uint32_t{1} << arc)) == 0) return false;
    }
    return true;
  }

 private:
  unsigned arcs_;
  std::uint32_t found_ = 0;
};

template <std::size_t n>
Status read_octets(DerReader& in, ByteArray<n>& out) {
  EML_TRY(const ByteView bytes, in.octet_string());
  const auto array = to_array<n>(bytes);
  if (!array) return malformed("a member of the SGX extension has another size");
  out = *array;
  return {};
}

template <typename T>
Status read_number(DerReader& in, T& out, std::uint8_t tag = der::kInteger) {
  EML_TRY(const std::uint64_t value, in.integer(tag));
  if (value > std::numeric_limits<T>::max()) return malformed("an SVN of the SGX extension is too large");
  out = static_cast<T>(value);
  return {};
}

ByteArray<10> member_prefix(std::uint8_t arc) {
  ByteArray<10> out{};
  std::ranges::copy(kPrefix, out.begin());
  out.back() = arc;
  return out;
}

Status read_tcb(DerReader& in, PckExtension& out) {
  EML_TRY(const DerReader tcb, in.enter(der::kSequence));
  Required required(18);
  EML_CHECK(members_of(tcb, member_prefix(2), [&](std::uint8_t arc, DerReader& value) -> Status {
    required.found(arc);
    if (arc >= 1 && arc <= 16) return read_number(value, out.components[arc - 1U]);
    if (arc == 17) return read_number(value, out.pcesvn);
    if (arc == 18) return read_octets(value, out.cpu_svn);
    return malformed("the TCB of the SGX extension has an unknown member");
  }));
  if (!required.all()) return malformed("the TCB of the SGX extension lacks a member");
  return {};
}

Status read_configuration(DerReader& in, PckExtension& out) {
  EML_TRY(const DerReader configuration, in.enter(der::kSequence));
  PckConfiguration& to = out.configuration.emplace();
  return members_of(configuration, member_prefix(7), [&](std::uint8_t arc, DerReader& value) -> Status {
    EML_TRY(const bool flag, value.boolean());
    if (arc == 1) to.dynamic_platform = flag;
    if (arc == 2) to.cached_keys = flag;
    if (arc == 3) to.smt_enabled = flag;
    return {};
  });
}

Status read_member(std::uint8_t arc, DerReader& value, PckExtension& out) {
  switch (arc) {
    case 1:
      return read_octets(value, out.ppid);
    case 2:
      return read_tcb(value, out);
    case 3:
      return read_octets(value, out.pceid);
    case 4:
      return read_octets(value, out.fmspc);
    case 5:
      return read_number(value, out.sgx_type, der::kEnumerated);
    case 6:
      return read_octets(value, out.platform_instance_id.emplace());
    case 7:
      return read_configuration(value, out);
    default: {
      const auto skipped = value.any();
      return skipped ? Status{} : std::unexpected(skipped.error());
    }
  }
}

Result<PckExtension> read_extension(ByteView der) {
  DerReader outer(der);
  EML_TRY(const DerReader members, outer.enter(der::kSequence));
  EML_CHECK(outer.expect_end());
  PckExtension out;
  Required required(5);
  EML_CHECK(members_of(members, kPrefix, [&](std::uint8_t arc, DerReader& value) {
    required.found(arc);
    return read_member(arc, value, out);
  }));
  if (!required.all()) return malformed("the SGX extension lacks a member");
  return out;
}

// The chain's own rules, time aside. A key of somebody else's breaks the rule on key identifiers too; what it is, is a
// signature of somebody else's.
Status verify_links(const std::vector<Certificate>& chain) {
  const auto verified = verify_chain(chain, chain.back(), 0, {.strict = true, .judge_dates = false});
  if (verified) return {};
  if (!chain[0].signed_by(chain[1].public_key())) {
    return fail(kPckLeafSignature, "the CA did not sign the PCK certificate");
  }
  if (!chain[1].signed_by(chain[2].public_key())) return fail(kPckCaSignature, "the root did not sign the PCK's CA");
  return fail(kPckChain, "the PCK chain breaks a rule of RFC 5280", verified.error().first());
}

}  // namespace

Result<PckExtension> decode_pck_extension(ByteView der) {
  auto out = read_extension(der);
  if (!out && out.error().code() != kPckExtension) {
    return fail(kPckExtension, "the SGX extension is not the DER that it should be", out.error().first());
  }
  return out;
}

Result<PckExtension> extension_of(const Certificate& pck) {
  const auto extension = pck.extension(kSgxExtension);
  if (!extension) return fail(kPckExtension, "the PCK certificate has no SGX extension");
  return decode_pck_extension(*extension);
}

Result<PckChain> verify_pck_chain(ByteView cert_data, const Hash32& root) {
  const auto decoded = decode_pem_certificates(cert_data);
  if (!decoded) return fail(kPckChainUnparsable, "the PCK chain is not PEM certificates", decoded.error().first());
  const std::vector<Certificate>& chain = *decoded;
  if (chain.size() != 3) return fail(kPckChain, "the PCK chain is not three certificates", chain.size());
  if (chain[2].fingerprint() != root) return fail(kUntrustedRoot, "the PCK chain ends in another root");
  const std::string& ca = chain[1].subject_common_name();
  if (chain[0].subject_common_name() != kPckName || (ca != kPlatformCa && ca != kProcessorCa)) {
    return fail(kPckSubject, "a certificate of the PCK chain has another name");
  }
  EML_CHECK(verify_links(chain));
  EML_TRY(const PckExtension extension, extension_of(chain[0]));
  return PckChain{.pck = chain[0], .ca = chain[1], .root = chain[2], .extension = extension};
}

Status judge_dates(const Certificate& certificate, UnixSeconds time) {
  if (time > certificate.not_after()) return fail(kCertificateExpired, "a certificate has expired");
  if (time < certificate.not_before()) return fail(kCertificateNotYetValid, "a certificate is not valid yet");
  return {};
}

}  // namespace eml::tdx
