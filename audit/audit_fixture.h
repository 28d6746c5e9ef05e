// What the tests of audit/ share: a machine, one answer from it with all its parts, and the policy that accepts it.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "audit/verify_dossier.h"
#include "encoding/base64.h"
#include "package/manifest.h"
#include "receipt/air.h"
#include "receipt/statement.h"
#include "tests/support/fake_tee.h"

namespace eml::test {

inline constexpr std::string_view kRequest =
    R"({"model":"all-minilm-l6-v2","input":"a","eml":{"salt":"AAAAAAAAAAAAAAAAAAAAAA"}})";
inline constexpr std::string_view kResponse = R"({"object":"list","data":[],"eml":{"salt":"BBBBBBBBBBBBBBBBBBBBBA"}})";

// real_manifest is signed and closed, unlike the fake one: every byte of it counts.
inline Bytes real_manifest(const Ed25519Key& publisher, std::string_view version = "1") {
  const auto file = [](const char* path, FileRole role) {
    return ModelFile{.path = path, .role = role, .size = 1, .sha256 = sha256(as_bytes(path))};
  };
  Manifest manifest;
  manifest.model_id = "all-minilm-l6-v2";
  manifest.version = version;
  manifest.serial = 3;
  manifest.files = {file("config.json", FileRole::kConfig), file("model.safetensors", FileRole::kWeights),
                    file("tokenizer.json", FileRole::kTokenizer)};
  manifest.key_id = "test";
  manifest.encrypted = {"model.safetensors"};
  manifest.created = "2025-11-25T00:00:00Z";
  return encode_manifest(sign_manifest(manifest, {&publisher}).value());
}

// Answer is everything about one answer. Change a member, then `seal` what depends on it.
class Answer {
 public:
  explicit Answer(std::string_view machine = "machine a") : tee(machine) {
    manifest = real_manifest(tee.publisher());
    tee.model = verify_manifest(manifest).value();
    bundle = encode_bundle(parts_around(tee.serve_binding()));
    claims.issuer = tee.configuration.issuer;
    claims.issued_at = kFakeNow;
    claims.cti = tee.random().array<16>();
    claims.model_id = tee.model.id;
    claims.model_version = tee.model.version;
    claims.model_hash = tee.model.model_hash;
    claims.request_hash = sha256(as_bytes(request));
    claims.response_hash = sha256(as_bytes(response));
    claims.attestation_doc_hash = sha256(decode_bundle(bundle)->evidence);
    claims.measurements = {.type = MeasurementType::kLocal, .values = {{"binary", to_bytes(ByteView(tee.binary))}}};
    claims.policy_version = policy_version_of(tee.serve_binding().configuration_hash);
    seal();
  }

  // seal signs receipt and cleanup again, with the machine's key or another.
  void seal() { seal(tee.receipt_key()); }
  void seal(const Ed25519Key& key) {
    receipt = issue_receipt(key, claims).value();
    cleanup = issue_cleanup(key, cleanup_statement()).value();
  }

  CleanupStatement cleanup_statement() const {
    return {
        .issuer = claims.issuer,
        .issued_at = claims.issued_at,
        .cti = {9},
        .receipt_cti = claims.cti,
        .receipt_hash = sha256(receipt),
        .wiped = {.request = 4096, .parsed_text = 4096, .token_ids = 4096, .activations = 1 << 20, .response = 8192}};
  }

  // ask_nonce puts a nonce into request and receipt.
  void ask_nonce(const Bytes& nonce) {
    request = R"({"input":"a","eml-nonce":")" + base64url(nonce) + R"("})";
    claims.request_hash = sha256(as_bytes(request));
    claims.nonce = nonce;
    seal();
  }

  EvidenceBundle parts_around(const Binding& binding) const {
    EvidenceBundle out = tee.parts(binding);
    out.manifests = {manifest};
    return out;
  }

  // attest makes the machine attest `binding` and lets the receipt name that evidence.
  void attest(const Binding& binding) {
    const EvidenceBundle around = parts_around(binding);
    bundle = encode_bundle(around);
    claims.attestation_doc_hash = sha256(around.evidence);
    seal();
  }

  DossierInputs inputs() const {
    DossierInputs out;
    out.receipt = receipt;
    out.request = as_bytes(request);
    out.response = as_bytes(response);
    out.bundle = bundle;
    out.cleanup = cleanup;
    return out;
  }

  DossierParts parts() const {
    DossierParts out;
    out.receipt = receipt;
    out.request = as_bytes(request);
    out.response = as_bytes(response);
    out.bundle = bundle;
    out.cleanup = cleanup;
    return out;
  }

  FakeTee tee;
  AirClaims claims;
  std::string request{kRequest};
  std::string response{kResponse};
  Bytes manifest;
  Bytes bundle;
  Bytes receipt;
  Bytes cleanup;
};

inline Expectations expectations(const Policy& policy) {
  Expectations out;
  out.policy = &policy;
  out.verify_manifest = verify_manifest;
  return out;
}

// outcome_of and error_of read one line; a line that is not there fails the test by its emptiness.
inline const Check* find_check(const DossierVerdict& verdict, std::string_view id) {
  for (const Check& check : verdict.checks) {
    if (check.id == id) return &check;
  }
  return nullptr;
}

inline std::string outcome_of(const DossierVerdict& verdict, std::string_view id) {
  const Check* check = find_check(verdict, id);
  return check == nullptr ? "no such line" : std::string(to_string(check->outcome));
}

inline std::string error_of(const DossierVerdict& verdict, std::string_view id) {
  const Check* check = find_check(verdict, id);
  return check == nullptr || !check->error ? "" : std::string(check->error->code().name);
}

// failed_ids joins the ids of all failed lines.
inline std::string failed_ids(const DossierVerdict& verdict) {
  std::string out;
  for (const Check& check : verdict.checks) {
    if (check.outcome == Outcome::kFailed) out.append(out.empty() ? "" : " ").append(check.id);
  }
  return out;
}

}  // namespace eml::test
