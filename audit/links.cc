#include "audit/links.h"

#include <algorithm>

#include "crypto/hash.h"
#include "encoding/base64.h"
#include "encoding/json.h"
#include "encoding/wiping_resource.h"
#include "receipt/statement.h"

namespace eml {
namespace {

constexpr std::string_view kNonceMember = "eml-nonce";

const SignedModel* find_model(const TrustedPeer& peer, const Hash32& hash) {
  const auto found = std::ranges::find(peer.models, hash, &SignedModel::model_hash);
  return found == peer.models.end() ? nullptr : &*found;
}

std::string publishers_of(const SignedModel& model) {
  std::string out;
  for (const Ed25519PublicKey& key : model.publishers) out.append(out.empty() ? "" : ", ").append(hex(key));
  return out;
}

// The nonce that a request asks for; nothing if it asks for none.
Result<std::optional<Bytes>> nonce_of_request(ByteView request) {
  WipingResource storage;
  EML_TRY(const Json json, parse_json(request, {.bytes_max = kDossierRequestMax}, &storage));
  const JsonObject* object = json.if_object();
  if (object == nullptr) return fail(kLinkNonce, "the request is not a JSON object");
  if (!object->contains(kNonceMember)) return std::nullopt;
  EML_TRY(const std::string_view text, json_text(*object, kNonceMember));
  std::optional<Bytes> nonce = from_base64url(text);
  if (!nonce) return fail(kLinkNonce, "the request's nonce is not base64url");
  return nonce;
}

// What is known of one body.
enum class Body : std::uint8_t { kMatches, kHashMatches, kAbsent, kDiffers };

Body compare_body(const std::optional<ByteView>& body, const std::optional<Hash32>& hash, const Hash32& claimed) {
  if (body) return sha256(*body) == claimed ? Body::kMatches : Body::kDiffers;
  if (!hash) return Body::kAbsent;
  return *hash == claimed ? Body::kHashMatches : Body::kDiffers;
}

}  // namespace

UnixSeconds bundle_time(UnixSeconds receipt_iat, UnixSeconds not_after) { return std::min(receipt_iat, not_after); }

LinkResult check_link_evidence(const AirClaims& claims, const Hash32& evidence_hash) {
  if (claims.attestation_doc_hash != evidence_hash) {
    return LinkResult::failed(kLinkEvidenceHash, "the receipt names other evidence than this");
  }
  return LinkResult::passed("sha256:" + hex(evidence_hash));
}

LinkResult check_link_signer(const VerifiedReceipt& receipt, const Binding& binding) {
  if (receipt.signer() != binding.receipt_key) {
    return LinkResult::failed(kLinkSigner, "the receipt is signed by a key that the evidence does not bind");
  }
  return LinkResult::passed("key " + hex(receipt.signer()));
}

LinkResult check_link_model(const AirClaims& claims, const TrustedPeer& peer, const std::optional<ByteView>& extra,
                            ManifestVerifier verify_manifest) {
  if (claims.scheme != ModelHashScheme::kSha256Manifest) {
    return LinkResult::failed(kLinkModelScheme, "the model hash is not one of a manifest");
  }
  if (std::ranges::find(peer.binding.model_hashes, claims.model_hash) == peer.binding.model_hashes.end()) {
    return LinkResult::failed(kLinkModelNotBound, "the receipt names a model that the evidence does not bind");
  }
  const SignedModel* model = find_model(peer, claims.model_hash);
  if (model == nullptr) return LinkResult::failed(kLinkManifestHash, "no manifest hashes to the receipt's model");
  if (model->id != claims.model_id || model->version != claims.model_version) {
    return LinkResult::failed(kLinkModelName, "the manifest gives the model another name or version");
  }
  if (extra) {
    const auto given = verify_manifest(*extra);
    if (!given) return LinkResult::failed(given.error());
    if (given->model_hash != claims.model_hash) {
      return LinkResult::failed(kLinkManifestHash, "the manifest beside the receipt is of another model");
    }
  }
  return LinkResult::passed(model->id + " " + model->version + ", published by " + publishers_of(*model));
}

LinkResult check_link_measurements(const AirClaims& claims, const TrustedPeer& peer) {
  const auto expected = receipt_measurements(measurement_type_of_kind(to_string(peer.kind)), peer.measurements);
  if (!expected) return LinkResult::failed(expected.error());
  if (claims.measurements.type != expected->type) {
    return LinkResult::failed(kLinkMeasurements, "the receipt has measurements of another kind than the evidence");
  }
  // AIR lets a receipt leave optional registers out; what it states must stand in the evidence.
  for (const auto& [name, value] : claims.measurements.values) {
    const auto found = expected->values.find(name);
    if (found == expected->values.end() || found->second != value) {
      return LinkResult::failed(kLinkMeasurements, "a measurement in the receipt is not that of the evidence");
    }
  }
  return LinkResult::passed(std::string(to_string(expected->type)));
}

LinkResult check_link_mode(const AirClaims& claims, const TrustedPeer& peer) {
  if (claims.mode == SecurityMode::kProduction && peer.evaluation) {
    return LinkResult::failed(kLinkMode, "the receipt says production, the evidence is for evaluation only");
  }
  return LinkResult::passed(std::string(to_string(claims.mode)));
}

LinkResult check_link_time(const AirClaims& claims, const Binding& binding) {
  if (claims.issued_at < binding.issued_at - kReceiptBeforeEvidenceSeconds) {
    return LinkResult::failed(kLinkTimeEarly, "the receipt is older than the evidence");
  }
  if (claims.issued_at > binding.not_after + kReceiptAfterEvidenceSeconds) {
    return LinkResult::failed(kLinkTimeLate, "the receipt was issued after the evidence had ended");
  }
  return LinkResult::passed(rfc3339(claims.issued_at));
}

LinkResult check_link_configuration(const AirClaims& claims, const Binding& binding) {
  if (claims.policy_version != policy_version_of(binding.configuration_hash)) {
    return LinkResult::failed(kLinkConfiguration, "the receipt names another configuration than the evidence");
  }
  return LinkResult::passed(claims.policy_version);
}

LinkResult check_link_bodies(const AirClaims& claims, const DossierInputs& inputs) {
  const Body request = compare_body(inputs.request, inputs.request_hash, claims.request_hash);
  if (request == Body::kDiffers)
    return LinkResult::failed(kLinkRequestHash, "the request is not the one of the receipt");
  const Body response = compare_body(inputs.response, inputs.response_hash, claims.response_hash);
  if (response == Body::kDiffers) {
    return LinkResult::failed(kLinkResponseHash, "the response is not the one of the receipt");
  }
  if (request == Body::kMatches && response == Body::kMatches) return LinkResult::passed();
  if (request == Body::kHashMatches && response == Body::kHashMatches) {
    return LinkResult::not_checked("only hashes of the bodies are here; they equal the receipt's");
  }
  if (request == Body::kMatches) return LinkResult::not_checked("the request matches; the response is not here");
  if (response == Body::kMatches) return LinkResult::not_checked("the response matches; the request is not here");
  return LinkResult::not_checked("the bodies are not here");
}

LinkResult check_link_nonce(const AirClaims& claims, const std::optional<ByteView>& request) {
  if (!request) return LinkResult::not_checked("the request is not here, so nobody knows which nonce it asked for");
  const auto asked = nonce_of_request(*request);
  if (!asked) return LinkResult::failed(asked.error());
  if (*asked != claims.nonce) {
    return LinkResult::failed(kLinkNonce, "the receipt's nonce is not the one that the request asked for");
  }
  return LinkResult::passed(claims.nonce ? hex(*claims.nonce) : "none asked for, none given");
}

LinkResult check_link_cleanup(const VerifiedReceipt& receipt, const std::optional<ByteView>& cleanup) {
  if (!cleanup) return LinkResult::not_checked("there is no cleanup statement");
  const auto statement = verify_cleanup(*cleanup, receipt.signer());
  if (!statement) return LinkResult::failed(statement.error());
  if (statement->receipt_cti != receipt.claims().cti || statement->receipt_hash != receipt.hash()) {
    return LinkResult::failed(kLinkCleanupReceipt, "the cleanup statement is about another receipt");
  }
  // Every answer has a request and a response in memory; a run that wiped neither did not clean up.
  if (statement->wiped.request == 0 || statement->wiped.response == 0) {
    return LinkResult::failed(kLinkCleanupEmpty, "the cleanup statement says that no body was wiped");
  }
  return LinkResult::passed(std::string(kCleanupMeaning));
}

}  // namespace eml
