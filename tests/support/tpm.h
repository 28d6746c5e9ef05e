// A test-only TPM: quotes, keys and lists with anything wrong in them that a test wants. A test takes a good TpmPlan,
// changes one thing, and has exactly that thing wrong.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "attestation/judge.h"
#include "attestation/tpm/tpm.h"
#include "crypto/hash.h"
#include "encoding/base64.h"
#include "encoding/json.h"
#include "encoding/reader.h"
#include "tests/support/signer.h"
#include "tests/support/snp.h"

namespace eml::test {

struct TpmMade {
  Bytes quote;
  Collateral collateral;
  std::optional<Bytes> root;
};

inline const Signer& tpm_ec_key() {
  static const Signer key(TestKey::kP256);
  return key;
}

inline Bytes tpm2b(ByteView bytes) {
  Writer out;
  out.u16(static_cast<std::uint16_t>(bytes.size())).bytes(bytes);
  return out.take();
}

// tpmt_public is the TPM's form of a signer's key.
inline Bytes tpmt_public(const Signer& signer, std::uint32_t attributes = 0x50072, std::uint16_t name_algorithm = 0xb) {
  const PublicKey key = PublicKey::decode_spki(signer.spki()).value();
  const bool rsa = key.kind() == KeyKind::kRsa;
  Writer out;
  out.u16(rsa ? 1 : 0x23).u16(name_algorithm).u32(attributes).u16(0).u16(0x10);
  if (rsa) {
    out.u16(0x14).u16(0xb).u16(static_cast<std::uint16_t>(key.bits())).u32(0).bytes(tpm2b(key.modulus()));
  } else {
    const Bytes point = key.point();
    const std::size_t half = point.size() / 2;
    out.u16(0x18).u16(0xb).u16(half == 32 ? 3 : 4).u16(0x10);
    out.bytes(tpm2b(ByteView(point).first(half))).bytes(tpm2b(ByteView(point).subspan(half)));
  }
  return out.take();
}

inline std::string pem_public(const Signer& signer) {
  return "-----BEGIN PUBLIC KEY-----\n" + base64(signer.spki()) + "\n-----END PUBLIC KEY-----\n";
}

struct TpmSelection {
  std::uint16_t hash = kTpmSha256;
  Bytes bitmap = {0x81, 0, 0};  // PCR 0 and 7
};

struct TpmPlan {
  static constexpr UnixSeconds kTime = SnpPlan::kTime;

  std::uint32_t magic = 0xff544347;
  std::uint16_t type = 0x8018;
  Bytes nonce = Bytes(32, 0x42);
  std::uint8_t safe = 1;
  std::vector<TpmSelection> selections = {{}};
  std::optional<Bytes> digest;  // where it should not be the list's
  Bytes trailing;
  std::map<unsigned, Bytes> pcrs = {{0, Bytes(32, 1)}, {7, Bytes(32, 7)}};
  std::string bank = "sha256";
  const Signer* key = &shared_rsa_signer(0);     // in the collateral
  const Signer* signer = &shared_rsa_signer(0);  // of the quote
  std::uint16_t scheme = 0x14;
  std::uint16_t hash = kTpmSha256;
  std::function<void(TpmMade&)> edit = [](TpmMade&) {};

  // with_ec_key signs with ECDSA on P-256.
  void with_ec_key() {
    key = signer = &tpm_ec_key();
    scheme = 0x18;
  }

  Bytes quote() const {
    Writer out;
    out.u32(magic).u16(type).bytes(tpm2b(Bytes(34, 0x0b))).bytes(tpm2b(nonce));
    out.u64(1234).u32(2).u32(3).u8(safe).u64(0x2019102300163636);
    out.u32(static_cast<std::uint32_t>(selections.size()));
    for (const TpmSelection& each : selections) {
      out.u16(each.hash).u8(static_cast<std::uint8_t>(each.bitmap.size())).bytes(each.bitmap);
    }
    Bytes values;
    for (const auto& [index, value] : pcrs) values.insert(values.end(), value.begin(), value.end());
    out.bytes(tpm2b(digest.value_or(tpm_hash(hash, {values})))).bytes(trailing);
    return out.take();
  }

  Bytes signature(ByteView message) const {
    const int bits = hash == kTpmSha384 ? 384 : hash == kTpmSha512 ? 512 : 256;
    Writer out;
    out.u16(scheme).u16(hash);
    if (scheme == 0x18) {
      const Bytes raw = signer->sign_raw(message, bits);
      const std::size_t half = raw.size() / 2;
      out.bytes(tpm2b(ByteView(raw).first(half))).bytes(tpm2b(ByteView(raw).subspan(half)));
    } else {
      out.bytes(tpm2b(signer->sign(message, bits, scheme == 0x16 ? TestPadding::kPss : TestPadding::kNone)));
    }
    return out.take();
  }

  Bytes pcr_list() const {
    JsonObject values;
    for (const auto& [index, value] : pcrs) values[std::to_string(index)] = hex(value);
    return to_bytes(std::string_view(compact_json(JsonObject{{"hash", bank}, {"pcrs", values}})));
  }

  TpmMade make() const {
    TpmMade out;
    out.quote = quote();
    out.collateral["signature"] = signature(out.quote);
    out.collateral["pcrs"] = pcr_list();
    out.collateral["ak_public_pem"] = to_bytes(std::string_view(pem_public(*key)));
    edit(out);
    return out;
  }
};

// hcl_runtime_data is JSON that names this key as the vTPM's.
inline Bytes hcl_runtime_data(const Signer& key, std::string_view kid = "HCLAkPub") {
  const PublicKey decoded = PublicKey::decode_spki(key.spki()).value();
  const JsonObject jwk{{"kid", kid}, {"kty", "RSA"}, {"e", "AQAB"}, {"n", base64url(decoded.modulus())}};
  return to_bytes(std::string_view(compact_json(JsonObject{{"keys", JsonArray{jwk}}, {"user-data", ""}})));
}

inline Bytes le32(std::uint32_t value) {
  return {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8U),
          static_cast<std::uint8_t>(value >> 16U), static_cast<std::uint8_t>(value >> 24U)};
}

// hcl_report wraps a hardware report and runtime data as Azure's paravisor does.
inline Bytes hcl_report(std::uint32_t type, ByteView hardware, ByteView runtime_data) {
  const auto size = static_cast<std::uint32_t>(runtime_data.size());
  return concat(as_bytes("HCLA"), Bytes(28), hardware, Bytes(1184 - hardware.size()), le32(size + 20), le32(1),
                le32(type), le32(1), le32(size), runtime_data, Bytes(100));
}

// with_hcl puts an SNP report over the plan's key beside the quote, under the test's own AMD root.
inline std::function<void(TpmMade&)> with_hcl(SnpPlan snp, const Signer& named) {
  return [snp, &named](TpmMade& made) mutable {
    const Bytes runtime_data = hcl_runtime_data(named);
    snp.put(0x50, concat(sha256(runtime_data), Hash32{}));
    const SnpMade inner = snp.make();
    made.collateral["hcl_report"] = hcl_report(2, inner.report, runtime_data);
    made.collateral["runtime_data_json"] = runtime_data;
    made.collateral["vcek"] = inner.collateral.at("vek");
    made.collateral["snp_ca_chain"] = inner.collateral.at("ca_chain");
    made.collateral["snp_crl"] = inner.collateral.at("crl");
    made.root = inner.root;
  };
}

}  // namespace eml::test
