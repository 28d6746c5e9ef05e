#include "receipt/air.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/hash.h"
#include "receipt/receipt_fixture.h"
#include "receipt/statement.h"

namespace eml {
namespace {

using test::encoded_bytes;
using test::encoded_int;
using test::encoded_text;
using test::key_of;
using test::local_claims;
using test::Pair;
using test::pairs_of;
using test::set_value;
using test::tdx_claims;

const Ed25519Key& signer() {
  static const Ed25519Key key = key_of(0x2a);
  return key;
}

// The code of a receipt whose payload is `payload`, properly signed; "" if it verifies.
std::string code_of_payload(ByteView payload) {
  const auto receipt = verify_receipt(sign1(signer(), CoseHeader{}, payload), signer().public_key());
  return receipt ? "" : air_code(receipt.error());
}

std::string code_of_pairs(const std::vector<Pair>& pairs) { return code_of_payload(test::map_of(pairs)); }

std::string code_with(std::int64_t key, Bytes value, const AirClaims& claims = local_claims()) {
  auto pairs = pairs_of(encode_air_claims(claims));
  set_value(pairs, encoded_int(key), std::move(value));
  return code_of_pairs(pairs);
}

std::string code_with_measurements(const AirClaims& claims, const std::vector<Pair>& measurements) {
  return code_with(kClaimMeasurements, test::map_of(measurements), claims);
}

std::vector<Pair> measurement_pairs(const AirClaims& claims) {
  for (const Pair& pair : pairs_of(encode_air_claims(claims))) {
    if (pair.key == encoded_int(kClaimMeasurements)) return pairs_of(pair.value);
  }
  std::abort();
}

VerifiedReceipt verified(const AirClaims& claims) {
  return *verify_receipt(issue_receipt(signer(), claims).value(), signer().public_key());
}

TEST(Air, IssuesAReceiptThatVerifiesAndReadsBack) {
  for (const AirClaims& claims : {local_claims(), tdx_claims()}) {
    const Bytes bytes = issue_receipt(signer(), claims).value();
    const auto receipt = verify_receipt(bytes, signer().public_key());
    ASSERT_TRUE(receipt) << receipt.error().to_string();
    EXPECT_EQ(receipt->claims(), claims);
    EXPECT_EQ(receipt->signer(), signer().public_key());
    EXPECT_EQ(to_bytes(receipt->bytes()), bytes);
    EXPECT_EQ(receipt->hash(), sha256(bytes));
  }
}

TEST(Air, ReceiptsBeginWithTheHeaderThatTheSpecificationGives) {
  const Bytes bytes = issue_receipt(signer(), local_claims()).value();
  EXPECT_EQ(hex(ByteView(bytes).first(10)), "d28446a2012703183da0");
}

TEST(Air, EveryTypeOfMeasurementsMakesARoundTrip) {
  for (const MeasurementType type :
       {MeasurementType::kNitroPcr, MeasurementType::kTdxMrtdRtmr, MeasurementType::kSnp,
        MeasurementType::kConfidentialSpace, MeasurementType::kTpm, MeasurementType::kLocal}) {
    AirClaims claims = local_claims();
    claims.measurements = {.type = type, .values = {}};
    for (const MeasurementSlot& slot : measurement_slots(type)) {
      claims.measurements.values.emplace(slot.name, Bytes(slot.bytes, 0x33));
    }
    EXPECT_EQ(verified(claims).claims(), claims) << to_string(type);
    EXPECT_EQ(parse_measurement_type(to_string(type)), type);
    const Bytes payload = encode_air_claims(claims);
    const bool own = as_text(payload).find(kEmlProfile) != std::string_view::npos;
    EXPECT_NE(own, is_air_type(type)) << to_string(type);
  }
}

TEST(Air, OptionalClaimsMayBeAbsent) {
  AirClaims claims = tdx_claims();
  claims.nonce = std::nullopt;
  claims.scheme = std::nullopt;
  claims.measurements.values.erase("pcr3");
  claims.measurements.values.erase("pcr4");
  EXPECT_EQ(verified(claims).claims(), claims);
}

TEST(Air, DoesNotIssueWhatAVerifierWouldRefuse) {
  AirClaims claims = local_claims();
  claims.model_hash = {};
  EXPECT_EQ(issue_receipt(signer(), claims).error().code(), kAirZeroModelHash);
  claims = local_claims();
  claims.issuer.clear();
  EXPECT_EQ(issue_receipt(signer(), claims).error().code(), kAirBadText);
  claims = local_claims();
  claims.nonce = Bytes(7);
  EXPECT_EQ(issue_receipt(signer(), claims).error().code(), kAirBadNonceLength);
  claims = local_claims();
  claims.issued_at = 0;
  EXPECT_EQ(issue_receipt(signer(), claims).error().code(), kAirBadIat);
  claims = local_claims();
  claims.measurements.values.clear();
  EXPECT_EQ(issue_receipt(signer(), claims).error().code(), kAirBadMeasurementLength);
  claims = local_claims();
  claims.measurements.values.emplace("invented", Bytes(48));
  EXPECT_FALSE(issue_receipt(signer(), claims));
}

// Layer 1.

TEST(Air, RefusesAReceiptThatIsTooLarge) {
  const auto receipt = UnverifiedReceipt::decode(Bytes(kReceiptBytesMax + 1));
  EXPECT_EQ(air_code(receipt.error()), "RECEIPT_TOO_LARGE");
}

TEST(Air, RefusesEveryTruncation) {
  const Bytes bytes = issue_receipt(signer(), local_claims()).value();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const auto receipt = UnverifiedReceipt::decode(ByteView(bytes).first(n));
    ASSERT_FALSE(receipt) << n;
    EXPECT_EQ(air_code(receipt.error()), "COSE_DECODE_FAILED") << n;
  }
}

TEST(Air, RefusesATrailingByte) {
  Bytes bytes = issue_receipt(signer(), local_claims()).value();
  bytes.push_back(0);
  EXPECT_EQ(air_code(UnverifiedReceipt::decode(bytes).error()), "COSE_DECODE_FAILED");
}

TEST(Air, RefusesAReceiptWithoutItsTag) {
  const Bytes bytes = issue_receipt(signer(), local_claims()).value();
  EXPECT_EQ(air_code(UnverifiedReceipt::decode(ByteView(bytes).subspan(1)).error()), "COSE_DECODE_FAILED");
}

TEST(Air, RefusesAnUnprotectedHeader) {
  Bytes bytes = issue_receipt(signer(), local_claims()).value();
  ASSERT_EQ(bytes[9], 0xa0);
  bytes[9] = 0xa1;
  const Bytes kid = {0x04, 0x41, 0x00};
  bytes.insert(bytes.begin() + 10, kid.begin(), kid.end());
  EXPECT_EQ(air_code(UnverifiedReceipt::decode(bytes).error()), "NON_EMPTY_UNPROTECTED");
}

TEST(Air, RefusesAnotherAlgorithmOrContentTypeOrATyp) {
  const Bytes payload = encode_air_claims(local_claims());
  const auto code = [&](const CoseHeader& header) {
    return air_code(UnverifiedReceipt::decode(sign1(signer(), header, payload)).error());
  };
  EXPECT_EQ(code({.algorithm = -7}), "BAD_ALG");
  EXPECT_EQ(code({.content_type = 60}), "BAD_CONTENT_TYPE");
  EXPECT_EQ(code({.content_type = std::nullopt}), "BAD_CONTENT_TYPE");
  EXPECT_EQ(code({.type = std::string(kCleanupType)}), "BAD_CONTENT_TYPE");
}

TEST(Air, RefusesAnEmptyPayload) { EXPECT_EQ(code_of_payload({}), "MISSING_PAYLOAD"); }

// Layer 2.

TEST(Air, RefusesEveryFlippedByte) {
  const Bytes good = issue_receipt(signer(), local_claims()).value();
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 1;
    EXPECT_FALSE(verify_receipt(bad, signer().public_key())) << i;
  }
}

TEST(Air, RefusesAnotherKeyBeforeItLooksAtTheClaims) {
  const Bytes bytes = sign1(signer(), CoseHeader{}, as_bytes("not a map at all"));
  EXPECT_EQ(air_code(verify_receipt(bytes, key_of(0x2b).public_key()).error()), "SIG_FAILED");
  EXPECT_EQ(air_code(verify_receipt(bytes, signer().public_key()).error()), "PAYLOAD_NOT_MAP");
}

// Layer 3.

TEST(Air, NamesTheRequiredClaimThatIsMissing) {
  const auto pairs = pairs_of(encode_air_claims(local_claims()));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    auto without = pairs;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    const std::string code = code_of_pairs(without);
    const bool optional = pairs[i].key == encoded_int(kClaimNonce) || pairs[i].key == encoded_int(kClaimScheme);
    if (optional) {
      EXPECT_EQ(code, "") << i;
    } else {
      EXPECT_EQ(code.substr(0, 14), "MISSING_CLAIM:") << i;
      EXPECT_EQ(code.find("unknown"), std::string::npos) << i;
    }
  }
}

TEST(Air, RefusesEveryClaimOfAnotherType) {
  const auto pairs = pairs_of(encode_air_claims(local_claims()));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    auto wrong = pairs;
    wrong[i].value = CborWriter().boolean(true).take();
    EXPECT_EQ(code_of_pairs(wrong).substr(0, 11), "WRONG_TYPE:") << i;
  }
}

TEST(Air, RefusesEveryClaimGivenTwice) {
  const auto pairs = pairs_of(encode_air_claims(local_claims()));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    auto twice = pairs;
    twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), pairs[i]);
    EXPECT_EQ(code_of_pairs(twice), "PAYLOAD_NOT_MAP") << i;
  }
}

TEST(Air, RefusesEveryPairOfClaimsOutOfOrder) {
  const auto pairs = pairs_of(encode_air_claims(local_claims()));
  for (std::size_t i = 1; i < pairs.size(); ++i) {
    auto swapped = pairs;
    std::swap(swapped[i - 1], swapped[i]);
    EXPECT_EQ(code_of_pairs(swapped), "PAYLOAD_NOT_MAP") << i;
  }
}

TEST(Air, RefusesAnUnknownClaim) {
  for (const Bytes& key : {encoded_int(266), encoded_int(-65550), encoded_text("more")}) {
    auto pairs = pairs_of(encode_air_claims(local_claims()));
    pairs.push_back({key, encoded_int(0)});
    std::ranges::sort(pairs, {}, &Pair::key);
    EXPECT_EQ(code_of_pairs(pairs), "UNKNOWN_CLAIM");
  }
}

TEST(Air, RefusesAPayloadWithATrailingByteOrCutShort) {
  Bytes payload = encode_air_claims(local_claims());
  for (std::size_t n = 1; n < payload.size(); ++n) {
    EXPECT_EQ(code_of_payload(ByteView(payload).first(n)), "PAYLOAD_NOT_MAP") << n;
  }
  payload.push_back(0);
  EXPECT_EQ(code_of_payload(payload), "PAYLOAD_NOT_MAP");
}

TEST(Air, RefusesAnIntegerThatIsNotInItsShortestForm) {
  EXPECT_EQ(code_with(kClaimSequence, {0x18, 0x07}), "PAYLOAD_NOT_MAP");
}

TEST(Air, RefusesAnotherProfile) {
  EXPECT_EQ(code_with(kClaimProfile, encoded_text("https://spec.cyntrisec.com/air/v2")), "WRONG_PROFILE");
}

TEST(Air, EachProfileHasItsOwnMeasurementsOnly) {
  EXPECT_EQ(code_with(kClaimProfile, encoded_text(kAirProfile), local_claims()), "UNKNOWN_MTYPE");
  EXPECT_EQ(code_with(kClaimProfile, encoded_text(kEmlProfile), tdx_claims()), "UNKNOWN_MTYPE");
}

TEST(Air, RefusesEachClaimWithABadValue) {
  EXPECT_EQ(code_with(kClaimCti, encoded_bytes(15)), "BAD_CTI_LENGTH");
  EXPECT_EQ(code_with(kClaimCti, encoded_bytes(17)), "BAD_CTI_LENGTH");
  EXPECT_EQ(code_with(kClaimIat, encoded_int(0)), "BAD_IAT");
  EXPECT_EQ(code_with(kClaimIat, encoded_int(kUnixSecondsMax + 1)), "BAD_IAT");
  EXPECT_EQ(code_with(kClaimIat, encoded_int(-1)), "WRONG_TYPE:iat");
  EXPECT_EQ(code_with(kClaimModelHash, encoded_bytes(31)), "BAD_HASH_LENGTH:model_hash");
  EXPECT_EQ(code_with(kClaimModelHash, CborWriter().bytes(Hash32{}).take()), "ZERO_MODEL_HASH");
  EXPECT_EQ(code_with(kClaimRequestHash, encoded_bytes(33)), "BAD_HASH_LENGTH:request_hash");
  EXPECT_EQ(code_with(kClaimResponseHash, encoded_bytes(0)), "BAD_HASH_LENGTH:response_hash");
  EXPECT_EQ(code_with(kClaimEvidenceHash, encoded_bytes(48)), "BAD_HASH_LENGTH:attestation_doc_hash");
  EXPECT_EQ(code_with(kClaimNonce, encoded_bytes(7)), "BAD_NONCE_LENGTH");
  EXPECT_EQ(code_with(kClaimNonce, encoded_bytes(8)), "");
  EXPECT_EQ(code_with(kClaimNonce, encoded_bytes(64)), "");
  EXPECT_EQ(code_with(kClaimNonce, encoded_bytes(65)), "BAD_NONCE_LENGTH");
  EXPECT_EQ(code_with(kClaimScheme, encoded_text("sha256-tree")), "UNKNOWN_MODEL_HASH_SCHEME");
  EXPECT_EQ(code_with(kClaimMode, encoded_text("GatewayOnly")), "UNKNOWN_SECURITY_MODE");
  EXPECT_EQ(code_with(kClaimSequence, encoded_int(-1)), "WRONG_TYPE:sequence_number");
}

TEST(Air, BoundsEveryText) {
  const std::string longest(kAirTextBytesMax, 'x');
  for (const std::int64_t key : {kClaimIss, kClaimModelId, kClaimModelVersion, kClaimPolicyVersion}) {
    EXPECT_EQ(code_with(key, encoded_text("")).substr(0, 9), "BAD_TEXT:") << key;
    EXPECT_EQ(code_with(key, encoded_text(longest)), "") << key;
    EXPECT_EQ(code_with(key, encoded_text(longest + "x")).substr(0, 9), "BAD_TEXT:") << key;
  }
  EXPECT_EQ(code_with(kClaimMode, encoded_text("")), "BAD_TEXT:security_mode");
}

TEST(Air, RefusesMeasurementsThatLackAnythingOrHoldMore) {
  for (const AirClaims& claims : {local_claims(), tdx_claims()}) {
    const auto pairs = measurement_pairs(claims);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      auto without = pairs;
      without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
      const std::string code = code_with_measurements(claims, without);
      const bool optional = pairs[i].key == encoded_text("pcr3") || pairs[i].key == encoded_text("pcr4");
      const bool type = pairs[i].key == encoded_text("measurement_type");
      EXPECT_EQ(code, optional ? "" : type ? "UNKNOWN_MTYPE" : "BAD_MEASUREMENT_LENGTH") << i;
      if (type) continue;
      auto short_one = pairs;
      short_one[i].value = encoded_bytes(47);
      EXPECT_EQ(code_with_measurements(claims, short_one), "BAD_MEASUREMENT_LENGTH") << i;
    }
  }
  auto more = measurement_pairs(local_claims());
  more.insert(more.begin(), {encoded_text("a"), encoded_bytes(48)});
  EXPECT_EQ(code_with_measurements(local_claims(), more), "UNKNOWN_MEASUREMENT");
  auto tdx = measurement_pairs(tdx_claims());
  tdx.insert(tdx.end() - 1, {encoded_text("pcr8"), encoded_bytes(48)});
  EXPECT_EQ(code_with_measurements(tdx_claims(), tdx), "TDX_PCR8_FORBIDDEN");
  auto unknown = measurement_pairs(local_claims());
  set_value(unknown, encoded_text("measurement_type"), encoded_text("sgx"));
  EXPECT_EQ(code_with_measurements(local_claims(), unknown), "UNKNOWN_MTYPE");
  set_value(unknown, encoded_text("measurement_type"), encoded_int(1));
  EXPECT_EQ(code_with_measurements(local_claims(), unknown), "UNKNOWN_MTYPE");
}

// Layer 4.

std::string appraisal(const AirClaims& claims, AirPolicy policy) {
  policy.evaluation = AirPolicy::Evaluation::kAccept;
  const Status status = appraise(verified(claims), policy);
  return status ? "" : air_code(status.error());
}

TEST(AirPolicy, RefusesEvaluationUnlessItIsAccepted) {
  EXPECT_EQ(air_code(appraise(verified(local_claims()), {}).error()), "EVALUATION_MODE_REJECTED");
  EXPECT_TRUE(appraise(verified(local_claims()), {.evaluation = AirPolicy::Evaluation::kAccept}));
  EXPECT_TRUE(appraise(verified(tdx_claims()), {}));
}

TEST(AirPolicy, BoundsTheTimeOnBothSides) {
  const AirClaims claims = local_claims();
  const UnixSeconds iat = claims.issued_at;
  EXPECT_EQ(appraisal(claims, {.time = iat}), "");
  EXPECT_EQ(appraisal(claims, {.time = iat - 60}), "");
  EXPECT_EQ(appraisal(claims, {.time = iat - 61}), "TIMESTAMP_FUTURE");
  EXPECT_EQ(appraisal(claims, {.time = iat + 100, .max_age_s = 100}), "");
  EXPECT_EQ(appraisal(claims, {.time = iat + 101, .max_age_s = 100}), "TIMESTAMP_STALE");
  EXPECT_EQ(appraisal(claims, {.time = kUnixSecondsMax}), "");
}

TEST(AirPolicy, AnAgeWithoutATimeIsNeverMet) {
  EXPECT_EQ(appraisal(local_claims(), {.max_age_s = 1000000}), "TIMESTAMP_STALE");
}

TEST(AirPolicy, DemandsEachThingAlone) {
  AirClaims claims = local_claims();
  EXPECT_EQ(appraisal(claims, {.nonce = claims.nonce}), "");
  EXPECT_EQ(appraisal(claims, {.nonce = Bytes(16, 0)}), "NONCE_MISMATCH");
  EXPECT_EQ(appraisal(claims, {.model_hash = claims.model_hash}), "");
  EXPECT_EQ(appraisal(claims, {.model_hash = test::hash_of(9)}), "MODEL_HASH_MISMATCH");
  EXPECT_EQ(appraisal(claims, {.model_id = claims.model_id}), "");
  EXPECT_EQ(appraisal(claims, {.model_id = "another"}), "MODEL_ID_MISMATCH");
  EXPECT_EQ(appraisal(claims, {.platform = MeasurementType::kLocal}), "");
  EXPECT_EQ(appraisal(claims, {.platform = MeasurementType::kSnp}), "PLATFORM_MISMATCH");
  EXPECT_EQ(appraisal(claims, {.request_hash = test::hash_of(9)}), "REQUEST_HASH_MISMATCH");
  EXPECT_EQ(appraisal(claims, {.response_hash = test::hash_of(9)}), "RESPONSE_HASH_MISMATCH");
  EXPECT_EQ(appraisal(claims, {.attestation_doc_hash = test::hash_of(9)}), "ATTESTATION_DOC_HASH_MISMATCH");
  claims.nonce = std::nullopt;
  EXPECT_EQ(appraisal(claims, {.nonce = Bytes(16, 0)}), "NONCE_MISSING");
}

TEST(Air, AnErrorOfAnotherModuleHasNoAirCode) {
  const Error error(kInternalError, "x");
  EXPECT_EQ(air_code(error), "");
  EXPECT_EQ(air_layer(error), 0);
}

TEST(Air, WritesAReceiptsIdAsPeopleDo) {
  EXPECT_EQ(format_cti(local_claims().cti), "01020304-0506-0708-090a-0b0c0d0e0f10");
}

TEST(Measurements, AreTakenFromEvidenceAndNeverInvented) {
  const auto taken = receipt_measurements(MeasurementType::kTdxMrtdRtmr, {{"mrtd", Bytes(48, 1)},
                                                                          {"rtmr0", Bytes(48, 2)},
                                                                          {"rtmr1", Bytes(48, 3)},
                                                                          {"rtmr3", Bytes(48, 5)},
                                                                          {"something", Bytes(3)}});
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->values.size(), 4U);
  EXPECT_EQ(taken->values.at("pcr0"), Bytes(48, 1));
  EXPECT_EQ(taken->values.at("pcr4"), Bytes(48, 5));
  EXPECT_EQ(receipt_measurements(MeasurementType::kLocal, {}).error().code(), kMeasurementsIncomplete);
  EXPECT_EQ(receipt_measurements(MeasurementType::kLocal, {{"binary", Bytes(32)}}).error().code(),
            kMeasurementsIncomplete);
}

}  // namespace
}  // namespace eml
