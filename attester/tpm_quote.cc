// make_tpm_quote: CreatePrimary, PCR_Read, Quote, FlushContext.
#include <boost/json/object.hpp>
#include <map>

#include "attester/tpm_device.h"
#include "crypto/tpm_hash.h"
#include "encoding/json.h"
#include "encoding/reader.h"

namespace eml {
namespace {

constexpr std::uint16_t kNoSessions = 0x8001;    // TPM_ST_NO_SESSIONS
constexpr std::uint16_t kWithSessions = 0x8002;  // TPM_ST_SESSIONS
constexpr std::uint32_t kCreatePrimary = 0x131;
constexpr std::uint32_t kQuote = 0x158;
constexpr std::uint32_t kFlushContext = 0x165;
constexpr std::uint32_t kPcrRead = 0x17e;
constexpr std::uint32_t kEndorsement = 0x4000000b;  // TPM_RH_ENDORSEMENT
constexpr std::uint32_t kPassword = 0x40000009;     // TPM_RS_PW

// fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, sign (Part 2, 8.3).
constexpr std::uint32_t kAttestationKey = 0x50072;

// 0 to 15 are reset with the machine only; of the others a guest or a DRTM launch resets some.
constexpr unsigned kPcrCount = 16;
// Between reading and quoting the kernel may extend a register (IMA): then both are done again.
constexpr int kRounds = 5;

Bytes command(std::uint16_t tag, std::uint32_t code, ByteView rest) {
  Writer out;
  out.u16(tag).u32(static_cast<std::uint32_t>(10 + rest.size())).u32(code).bytes(rest);
  return out.take();
}

// Both hierarchies and keys that are used here have the empty password.
void put_empty_password(Writer& out) { out.u32(9).u32(kPassword).u16(0).u8(0).u16(0); }

Bytes attestation_template() {
  Writer out;
  out.u16(kTpmEcc).u16(kTpmSha256).u32(kAttestationKey).u16(0);
  out.u16(kTpmNull).u16(kTpmEcdsa).u16(kTpmSha256).u16(kTpmCurveP256).u16(kTpmNull).u16(0).u16(0);
  return out.take();
}

Bytes selection(ByteView bitmap) {
  Writer out;
  out.u32(1).u16(kTpmSha256).u8(static_cast<std::uint8_t>(bitmap.size())).bytes(bitmap);
  return out.take();
}

template <typename T>
Result<T> answered(Result<T> result) {
  if (result) return result;
  return fail(kTpmDeviceAnswer, "a response ends too early");
}

Result<Bytes> read_2b(Reader& in) {
  EML_TRY(const std::uint16_t size, answered(in.u16()));
  EML_TRY(const ByteView bytes, answered(in.bytes(size)));
  return to_bytes(bytes);
}

struct Key {
  std::uint32_t handle = 0;
  Bytes tpm2b_public;
};

Result<Key> create_key(TpmDevice& device) {
  const Bytes key_template = attestation_template();
  Writer in;
  in.u32(kEndorsement);
  put_empty_password(in);
  in.u16(4).u16(0).u16(0);  // TPM2B_SENSITIVE_CREATE: no password, no data
  in.u16(static_cast<std::uint16_t>(key_template.size())).bytes(key_template);
  in.u16(0).u32(0);  // outsideInfo, creationPCR
  EML_TRY(const Bytes response, device.transact(command(kWithSessions, kCreatePrimary, in.view())));
  Reader out(response);
  Key key;
  EML_TRY(key.handle, answered(out.u32()));
  EML_CHECK(answered(out.u32()));  // size of the parameters
  EML_TRY(const Bytes public_area, read_2b(out));
  Writer with_size;
  with_size.u16(static_cast<std::uint16_t>(public_area.size())).bytes(public_area);
  key.tpm2b_public = with_size.take();
  return key;
}

// Flushing can fail only if the TPM is gone, and then there is nothing left to flush.
void flush(TpmDevice& device, std::uint32_t handle) {
  Writer in;
  in.u32(handle);
  static_cast<void>(device.transact(command(kNoSessions, kFlushContext, in.view())));
}

using Values = std::map<unsigned, Bytes>;

Bytes bitmap_of_missing(const Values& values) {
  Bytes bitmap(3);
  for (unsigned pcr = 0; pcr < kPcrCount; ++pcr) {
    if (!values.contains(pcr)) bitmap[pcr / 8] = static_cast<std::uint8_t>(bitmap[pcr / 8] | 1U << (pcr % 8));
  }
  return bitmap;
}

// take_values reads one response: the TPM gives as many of the selected registers as fit, and says which.
Status take_values(ByteView response, Values& values) {
  Reader out(response);
  EML_CHECK(answered(out.u32()));  // update counter
  EML_TRY(const std::uint32_t banks, answered(out.u32()));
  EML_TRY(const std::uint16_t hash, answered(out.u16()));
  EML_TRY(const std::uint8_t size, answered(out.u8()));
  EML_TRY(const ByteView bitmap, answered(out.bytes(size)));
  EML_TRY(const std::uint32_t count, answered(out.u32()));
  if (banks != 1 || hash != kTpmSha256) return fail(kTpmDeviceAnswer, "registers of another bank");
  std::uint32_t taken = 0;
  for (unsigned pcr = 0; pcr < 8U * size; ++pcr) {
    if ((bitmap[pcr / 8] >> (pcr % 8) & 1U) == 0) continue;
    EML_TRY(Bytes value, read_2b(out));
    values[pcr] = std::move(value);
    ++taken;
  }
  if (taken != count || taken == 0) return fail(kTpmDeviceAnswer, "the TPM has no SHA-256 bank, or counts otherwise");
  return {};
}

Result<Values> read_registers(TpmDevice& device) {
  Values values;
  while (values.size() < kPcrCount) {
    const Bytes wanted = selection(bitmap_of_missing(values));
    EML_TRY(const Bytes response, device.transact(command(kNoSessions, kPcrRead, wanted)));
    EML_CHECK(take_values(response, values));
  }
  return values;
}

struct Quoted {
  Bytes attest;
  Bytes signature;
};

Result<Quoted> quote(TpmDevice& device, std::uint32_t key, ByteView nonce) {
  Writer in;
  in.u32(key);
  put_empty_password(in);
  in.u16(static_cast<std::uint16_t>(nonce.size())).bytes(nonce);
  in.u16(kTpmNull);  // the key's own scheme
  in.bytes(selection(bitmap_of_missing({})));
  EML_TRY(const Bytes response, device.transact(command(kWithSessions, kQuote, in.view())));
  Reader out(response);
  EML_TRY(const std::uint32_t size, answered(out.u32()));
  EML_TRY(Reader parameters, answered(out.sub_reader(size)));
  Quoted quoted;
  EML_TRY(quoted.attest, read_2b(parameters));
  quoted.signature = to_bytes(parameters.rest());
  return quoted;
}

// The digest is the last thing in the structure that the TPM signed.
bool quotes_values(ByteView attest, const Values& values) {
  Bytes all;
  for (const auto& [pcr, value] : values) all.insert(all.end(), value.begin(), value.end());
  const Bytes digest = tpm_hash(kTpmSha256, {all});
  return attest.size() >= digest.size() && equal(attest.last(digest.size()), digest);
}

Bytes list_json(const Values& values) {
  JsonObject pcrs;
  for (const auto& [pcr, value] : values) pcrs[std::to_string(pcr)] = hex(value);
  return to_bytes(std::string_view(compact_json(JsonObject{{"hash", "sha256"}, {"pcrs", std::move(pcrs)}})));
}

Result<MadeTpmQuote> quote_with(TpmDevice& device, const Key& key, ByteView nonce) {
  for (int round = 0; round < kRounds; ++round) {
    EML_TRY(const Values values, read_registers(device));
    EML_TRY(Quoted quoted, quote(device, key.handle, nonce));
    if (!quotes_values(quoted.attest, values)) continue;
    return MadeTpmQuote{.attest = std::move(quoted.attest),
                        .signature = std::move(quoted.signature),
                        .pcrs = list_json(values),
                        .ak_tpm2b_public = key.tpm2b_public};
  }
  return fail(kTpmRegistersMoved, "the TPM's registers change faster than they are quoted");
}

}  // namespace

Result<MadeTpmQuote> make_tpm_quote(TpmDevice& device, ByteView nonce) {
  EML_TRY(const Key key, create_key(device));
  auto made = quote_with(device, key, nonce);
  flush(device, key.handle);
  return made;
}

}  // namespace eml
