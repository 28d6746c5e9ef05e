// NitroIssuer makes attestation documents of an invented security module under a root of its own, with any one thing
// wrong. It never is part of the product.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "attestation/judge.h"
#include "encoding/cbor.h"
#include "tests/support/signer.h"

namespace eml::test {

struct NitroPlan {
  std::map<unsigned, Bytes> pcrs{{0, Bytes(48, 0x10)}, {1, Bytes(48, 0x11)}, {2, Bytes(48, 0x12)},
                                 {3, Bytes(48, 0x13)}, {4, Bytes(48, 0x14)}, {8, Bytes(48, 0x18)}};
  std::optional<Bytes> public_key = Bytes{1, 2};
  std::optional<Bytes> user_data = Bytes(32, 0x42);
  std::optional<Bytes> nonce = Bytes{3};
  CertificateSpec zone{.subject = "zone", .issuer = "nitro root", .extensions = {}, .hash = 384};
  CertificateSpec instance{.subject = "instance", .issuer = "zone", .extensions = {}, .hash = 384};
  CertificateSpec leaf{.subject = "leaf", .issuer = "instance", .extensions = {}, .hash = 384};
  bool tagged = false;
  bool indefinite = false;
  Bytes protected_header{0xa1, 0x01, 0x38, 0x22};
  Bytes unprotected_header{0xa0};
  // change edits the payload's members (name and encoded value) before they are signed.
  std::function<void(std::vector<std::pair<std::string, Bytes>>&)> change;
  std::function<void(Bytes& payload)> change_payload;      // before it is signed
  std::function<void(Bytes& signature)> change_signature;  // after
  const Signer* signer = nullptr;                          // another than the leaf's key
  const Signer* zone_key = nullptr;                        // another than the zone's own
};

class NitroIssuer {
 public:
  const Bytes& root_certificate() const { return root_der_; }

  Bytes document(const NitroPlan& plan) const {
    Bytes payload = this->payload(plan);
    if (plan.change_payload) plan.change_payload(payload);
    CborWriter to_sign;
    to_sign.array(4).text("Signature1").bytes(plan.protected_header).bytes({}).bytes(payload);
    Bytes signature = (plan.signer == nullptr ? leaf_ : *plan.signer).sign_raw(to_sign.view(), 384);
    if (plan.change_signature) plan.change_signature(signature);
    CborWriter body;
    body.bytes(plan.protected_header).raw(plan.unprotected_header).bytes(payload).bytes(signature);
    return concat(plan.tagged ? Bytes{0xd2, 0x84} : Bytes{0x84}, body.view());
  }

  const Signer& instance_key() const { return instance_; }

  static Bytes bytes_item(const std::optional<Bytes>& bytes) {
    CborWriter out;
    if (bytes) {
      out.bytes(*bytes);
    } else {
      out.null();
    }
    return out.take();
  }
  static Bytes text_item(std::string_view text) {
    CborWriter out;
    out.text(text);
    return out.take();
  }
  static Bytes uint_item(std::uint64_t number) {
    CborWriter out;
    out.uint(number);
    return out.take();
  }
  static Bytes pcrs_item(const std::map<unsigned, Bytes>& pcrs) {
    CborWriter out;
    out.map(pcrs.size());
    for (const auto& [index, value] : pcrs) out.uint(index).bytes(value);
    return out.take();
  }
  static Bytes array_item(const std::vector<Bytes>& items) {
    CborWriter out;
    out.array(items.size());
    for (const Bytes& item : items) out.bytes(item);
    return out.take();
  }

  std::vector<Bytes> bundle(const NitroPlan& plan) const {
    const Signer& zone = plan.zone_key == nullptr ? zone_ : *plan.zone_key;
    return {root_certificate(), certificate(plan.zone, zone, root_, ca()),
            certificate(plan.instance, instance_, zone, ca())};
  }

 private:
  static std::vector<TestExtension> ca() { return {basic_constraints(true), key_usage(false, true)}; }

  static Bytes certificate(CertificateSpec spec, const Signer& subject, const Signer& issuer,
                           std::vector<TestExtension> extensions) {
    if (spec.extensions.empty()) spec.extensions = std::move(extensions);
    return make_certificate(spec, subject.spki(), issuer);
  }

  // The order of the members is that of genuine documents, which is not CBOR's deterministic one.
  Bytes payload(const NitroPlan& plan) const {
    const Bytes leaf = certificate(plan.leaf, leaf_, instance_, {basic_constraints(false), key_usage(true, false)});
    std::vector<std::pair<std::string, Bytes>> members{{"module_id", text_item("i-0123-enc4567")},
                                                       {"digest", text_item("SHA384")},
                                                       {"timestamp", uint_item(1780315200000)},
                                                       {"pcrs", pcrs_item(plan.pcrs)},
                                                       {"certificate", bytes_item(leaf)},
                                                       {"cabundle", array_item(bundle(plan))},
                                                       {"public_key", bytes_item(plan.public_key)},
                                                       {"user_data", bytes_item(plan.user_data)},
                                                       {"nonce", bytes_item(plan.nonce)}};
    if (plan.change) plan.change(members);
    const auto count = static_cast<std::uint8_t>(members.size());
    Bytes out{plan.indefinite ? std::uint8_t{0xbf} : static_cast<std::uint8_t>(0xa0 | count)};
    for (const auto& [name, value] : members) out = concat(out, text_item(name), value);
    if (plan.indefinite) out.push_back(0xff);
    return out;
  }

  Signer root_{TestKey::kP384};
  Signer zone_{TestKey::kP384};
  Signer instance_{TestKey::kP384};
  Signer leaf_{TestKey::kP384};
  // Made once: each signature of ECDSA is another.
  Bytes root_der_ =
      certificate({.subject = "nitro root", .issuer = "nitro root", .extensions = {}, .hash = 384}, root_, root_, ca());
};

}  // namespace eml::test
