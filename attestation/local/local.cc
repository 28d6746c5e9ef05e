#include "attestation/local/local.h"

#include <algorithm>

#include "encoding/cbor.h"

namespace eml {
namespace {

Result<LocalStatement> decode_statement(ByteView payload) {
  LocalStatement out;
  EML_TRY(CborMap map, CborMap::decode(payload));
  EML_TRY(CborReader digest, map.required(1));
  EML_TRY(out.digest, digest.byte_array<32>());
  EML_TRY(CborReader binary, map.required(2));
  EML_TRY(out.binary, binary.byte_array<48>());
  EML_TRY(CborReader root, map.required(3));
  EML_TRY(out.root, root.byte_array<32>());
  EML_CHECK(map.done());
  return out;
}

struct Decoded {
  UnverifiedSign1 cose;
  LocalStatement statement;
};

Result<Decoded> decode(ByteView evidence) {
  auto cose = UnverifiedSign1::decode(evidence);
  if (!cose) return fail(kLocalMalformed, "local evidence is not a COSE_Sign1 of ours");
  if (!cose->expect_header(local_evidence_header()))
    return fail(kLocalMalformed, "a COSE_Sign1, but not local evidence");
  auto statement = decode_statement(cose->payload());
  if (!statement) return fail(kLocalMalformed, "the local statement is not {1: digest, 2: binary, 3: root}");
  return Decoded{.cose = *std::move(cose), .statement = *std::move(statement)};
}

}  // namespace

CoseHeader local_evidence_header() {
  return CoseHeader{.algorithm = kCoseAlgEdDsa, .content_type = std::nullopt, .type = std::string(kLocalType)};
}

Result<LocalStatement> decode_local_evidence(ByteView evidence) {
  EML_TRY(const Decoded decoded, decode(evidence));
  return decoded.statement;
}

Result<VerifiedEvidence> verify_local_evidence(ByteView evidence, const std::vector<Ed25519PublicKey>& roots) {
  EML_TRY(const Decoded decoded, decode(evidence));
  const LocalStatement& statement = decoded.statement;
  if (std::ranges::find(roots, statement.root) == roots.end()) {
    return fail(kLocalRootUnknown, "local evidence is signed by a root that the policy does not pin");
  }
  if (!decoded.cose.verify(statement.root)) return fail(kLocalSignature, "the local root did not sign this evidence");
  VerifiedEvidence out;
  out.kind = EvidenceKind::kLocal;
  out.signed_value = to_bytes(ByteView(statement.digest));
  out.measurements.emplace("binary", to_bytes(ByteView(statement.binary)));
  out.root = hex(statement.root);
  return out;
}

}  // namespace eml
