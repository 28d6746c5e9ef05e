#include "crypto/cose/sign1.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <vector>

#include "crypto/testing.h"
#include "encoding/cbor.h"
#include "tests/support/json_vectors.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

using test::CountingRandom;
using test::secret_of;
using test::unhex;
using test::VectorObject;

Ed25519Key some_key(std::uint8_t first = 1) {
  CountingRandom random(first);
  return Ed25519Key::generate(random);
}

const Bytes kPayload = to_bytes("payload");
const CoseHeader kReceipt{};
const CoseHeader kStatement{.type = "application/vnd.example+cwt"};

Bytes good(const CoseHeader& header = kReceipt) { return sign1(some_key(), header, kPayload); }

TEST(Sign1, AReceiptHasTheProtectedHeaderOfItsSpecification) {
  EXPECT_TRUE(hex(good()).starts_with("d28446a2012703183da0"));
  const auto decoded = UnverifiedSign1::decode(good());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->header(), kReceipt);
  EXPECT_TRUE(decoded->expect_header(kReceipt));
  EXPECT_EQ(to_bytes(decoded->payload()), kPayload);
  EXPECT_EQ(to_bytes(decoded->bytes()), good());
  EXPECT_EQ(decoded->verify(some_key().public_key()).value(), kPayload);
}

TEST(Sign1, EveryHeaderThatWeWriteComesBackAndReencodesIdentically) {
  for (const CoseHeader& header :
       {kReceipt, kStatement, CoseHeader{.content_type = std::nullopt}, CoseHeader{.content_type = 0},
        CoseHeader{.content_type = 65535}, CoseHeader{.content_type = std::nullopt, .type = ""},
        CoseHeader{.type = std::string(300, 'x')}, CoseHeader{.algorithm = -7}, CoseHeader{.algorithm = -65535}}) {
    const Bytes bytes = good(header);
    const auto decoded = UnverifiedSign1::decode(bytes);
    ASSERT_TRUE(decoded) << hex(bytes);
    EXPECT_EQ(decoded->header(), header);
    EXPECT_EQ(encode_sign1(decoded->header(), decoded->payload(), decoded->signature()), bytes);
    EXPECT_EQ(decoded->verify(some_key().public_key()).has_value(), header.algorithm == kCoseAlgEdDsa);
  }
}

TEST(Sign1, ExpectHeaderNamesTheFirstDifference) {
  const auto decoded = UnverifiedSign1::decode(good(kStatement)).value();
  EXPECT_TRUE(decoded.expect_header(kStatement));
  EXPECT_EQ(decoded.expect_header({.algorithm = -7, .content_type = 0}).error().code(), kCoseWrongAlgorithm);
  EXPECT_EQ(decoded.expect_header({.content_type = 0}).error().code(), kCoseWrongContentType);
  EXPECT_EQ(decoded.expect_header({.content_type = std::nullopt}).error().code(), kCoseWrongContentType);
  EXPECT_EQ(decoded.expect_header(kReceipt).error().code(), kCoseWrongType) << "a statement passed for a receipt";
  EXPECT_EQ(decoded.expect_header({.type = "application/vnd.example"}).error().code(), kCoseWrongType);
  const auto receipt = UnverifiedSign1::decode(good()).value();
  EXPECT_EQ(receipt.expect_header(kStatement).error().code(), kCoseWrongType) << "a receipt passed for a statement";
}

TEST(Sign1, TheSignatureBindsKeyHeaderPayloadAndExternalData) {
  const Bytes bytes = sign1(some_key(), kStatement, kPayload, as_bytes("aad"));
  const auto decoded = UnverifiedSign1::decode(bytes).value();
  const Ed25519PublicKey key = some_key().public_key();
  EXPECT_TRUE(decoded.verify(key, as_bytes("aad")));
  EXPECT_EQ(decoded.verify(key).error().code(), kSignatureInvalid);
  EXPECT_EQ(decoded.verify(key, as_bytes("aae")).error().code(), kSignatureInvalid);
  EXPECT_EQ(decoded.verify(some_key(2).public_key(), as_bytes("aad")).error().code(), kSignatureInvalid);
  EXPECT_EQ(decoded.verify(Ed25519PublicKey{}, as_bytes("aad")).error().code(), kPublicKeyInvalid);
  const auto other_header = UnverifiedSign1::decode(encode_sign1(kReceipt, kPayload, decoded.signature())).value();
  EXPECT_EQ(other_header.verify(key, as_bytes("aad")).error().code(), kSignatureInvalid);
  const auto other_payload =
      UnverifiedSign1::decode(encode_sign1(kStatement, as_bytes("Payload"), decoded.signature())).value();
  EXPECT_EQ(other_payload.verify(key, as_bytes("aad")).error().code(), kSignatureInvalid);
}

TEST(Sign1, AnotherAlgorithmIsNeverVerifiedAsOurs) {
  // The signature is a good Ed25519 one over a header that states ES256.
  const auto decoded = UnverifiedSign1::decode(good({.algorithm = -7})).value();
  EXPECT_EQ(decoded.verify(some_key().public_key()).error().code(), kCoseWrongAlgorithm);
}

TEST(Sign1, ACutAtEveryLengthIsMalformed) {
  for (const CoseHeader& header : {kReceipt, kStatement}) {
    const Bytes bytes = good(header);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto decoded = UnverifiedSign1::decode(ByteView(bytes).first(size));
      ASSERT_FALSE(decoded) << size;
      EXPECT_EQ(decoded.error().code(), kCoseMalformed);
    }
  }
}

TEST(Sign1, AFlippedBitNeverVerifies) {
  const Bytes bytes = good(kStatement);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    Bytes bad = bytes;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    const auto decoded = UnverifiedSign1::decode(bad);
    if (decoded) EXPECT_FALSE(decoded->verify(some_key().public_key())) << bit;
  }
}

TEST(Sign1, TheLargestSizeIsTakenAndOneByteMoreIsNot) {
  const std::size_t around = good().size() - kPayload.size() + 2;  // a length of three bytes instead of one
  const Bytes largest = sign1(some_key(), kReceipt, Bytes(kCoseSign1Max - around, 'x'));
  ASSERT_EQ(largest.size(), kCoseSign1Max);
  EXPECT_TRUE(UnverifiedSign1::decode(largest).value().verify(some_key().public_key()));
  const Bytes larger = sign1(some_key(), kReceipt, Bytes(kCoseSign1Max - around + 1, 'x'));
  EXPECT_EQ(UnverifiedSign1::decode(larger).error().code(), kCoseTooLarge);
  EXPECT_EQ(UnverifiedSign1::decode(Bytes(std::size_t{1} << 24)).error().code(), kCoseTooLarge);
}

struct Bad {
  std::string_view defect;
  std::string bytes;  // hex; S stands for 64 bytes of signature
  ErrorCode code;
};

TEST(Sign1, RefusesBadStructures) {
  const std::vector<Bad> table = {
      {"nothing", "", kCoseMalformed},
      {"no tag", "8446a2012703183da041705840S", kCoseMalformed},
      {"tag 17", "d18446a2012703183da041705840S", kCoseMalformed},
      {"tag 98 (COSE_Sign)", "d8628446a2012703183da041705840S", kCoseMalformed},
      {"tag 18 not in shortest form", "d8128446a2012703183da041705840S", kCoseMalformed},
      {"tag twice", "d2d28446a2012703183da041705840S", kCoseMalformed},
      {"CWT tag around", "d83dd28446a2012703183da041705840S", kCoseMalformed},
      {"three members", "d28346a2012703183da05840S", kCoseMalformed},
      {"five members", "d28546a2012703183da041705840S00", kCoseMalformed},
      {"array of indefinite length", "d29f46a2012703183da041705840Sff", kCoseMalformed},
      {"a map", "d2a246a2012703183da041705840S", kCoseMalformed},
      {"protected is a map", "d284a2012703183da041705840S", kCoseMalformed},
      {"protected is empty", "d28440a041705840S", kCoseMalformed},
      {"protected is an empty map", "d28441a0a041705840S", kCoseMalformed},
      {"protected has a byte after its map", "d28447a2012703183d00a041705840S", kCoseMalformed},
      {"protected is an array", "d284428001a041705840S", kCoseMalformed},
      {"length of protected not in shortest form", "d2845806a2012703183da041705840S", kCoseMalformed},
      {"protected of indefinite length", "d2845f46a2012703183dffa041705840S", kCoseMalformed},
      {"header keys not sorted", "d28446a203183d0127a041705840S", kCoseMalformed},
      {"header key twice", "d28445a201270127a041705840S", kCoseMalformed},
      {"algorithm not in shortest form", "d28444a1013807a041705840S", kCoseMalformed},
      {"algorithm is a byte string", "d28444a1014127a041705840S", kCoseMalformed},
      {"algorithm is null", "d28443a101f6a041705840S", kCoseMalformed},
      {"algorithm below int64", "d2844ba1013bffffffffffffffffa041705840S", kCoseMalformed},
      {"algorithm by text", "d28448a101654553323536a041705840S", kCoseWrongAlgorithm},
      {"no algorithm", "d28444a103183da041705840S", kCoseMalformed},
      {"key id in protected", "d28446a20127044131a041705840S", kCoseMalformed},
      {"critical labels", "d28446a20127028101a041705840S", kCoseMalformed},
      {"unknown label", "d28446a20127183000a041705840S", kCoseMalformed},
      {"text label", "d28446a20127616100a041705840S", kCoseMalformed},
      {"content type by text", "d28446a20127036161a041705840S", kCoseWrongContentType},
      {"content type negative", "d28445a201270320a041705840S", kCoseMalformed},
      {"typ by number", "d28446a2012710183da041705840S", kCoseWrongType},
      {"typ is a byte string", "d28446a20127104161a041705840S", kCoseMalformed},
      {"typ is not UTF-8", "d28446a201271061ffa041705840S", kCoseMalformed},
      {"unprotected key id", "d28446a2012703183da10441314170 5840S", kCoseUnprotectedNotEmpty},
      {"unprotected algorithm", "d28446a2012703183da1012741705840S", kCoseUnprotectedNotEmpty},
      {"unprotected is a list", "d28446a2012703183d8041705840S", kCoseMalformed},
      {"unprotected is null", "d28446a2012703183df641705840S", kCoseMalformed},
      {"unprotected map of indefinite length", "d28446a2012703183dbfff41705840S", kCoseMalformed},
      {"unprotected map not in shortest form", "d28446a2012703183db80041705840S", kCoseMalformed},
      {"payload detached", "d28446a2012703183da0f65840S", kCoseMalformed},
      {"payload is text", "d28446a2012703183da061705840S", kCoseMalformed},
      {"payload of indefinite length", "d28446a2012703183da05f4170ff5840S", kCoseMalformed},
      {"payload longer than the input", "d28446a2012703183da05affffffff5840S", kCoseMalformed},
      {"no signature", "d28446a2012703183da0417040", kCoseMalformed},
      {"signature of 63 bytes", "d28446a2012703183da04170583f" + std::string(126, '0'), kCoseMalformed},
      {"signature of 65 bytes", "d28446a2012703183da041705841" + std::string(130, '0'), kCoseMalformed},
      {"signature of another algorithm's size", "d28447a201382203183da041705860" + std::string(192, '0'),
       kCoseWrongAlgorithm},
      {"signature is null", "d28446a2012703183da04170f6", kCoseMalformed},
      {"a byte after", "d28446a2012703183da041705840S00", kCoseMalformed},
      {"a second structure after", "d28446a2012703183da041705840Sd28446a2012703183da041705840S", kCoseMalformed},
  };
  for (const Bad& bad : table) {
    std::string text;
    for (const char c : bad.bytes) {
      if (c == 'S') text += std::string(128, '5');
      if (c != 'S' && c != ' ') text += c;
    }
    const auto decoded = UnverifiedSign1::decode(unhex(text));
    ASSERT_FALSE(decoded) << bad.defect;
    EXPECT_EQ(decoded.error().code(), bad.code) << bad.defect << ": " << decoded.error().to_string();
  }
  EXPECT_TRUE(UnverifiedSign1::decode(unhex("d28446a2012703183da041705840" + std::string(128, '5'))))
      << "the table's own frame is not good";
}

// The working group's examples: what must happen to each in our profile, and for which reason.
struct Example {
  std::string_view file;
  ErrorCode code;
};

TEST(Sign1, RefusesTheWorkingGroupsExamplesOutsideOurProfileForAStatedReason) {
  const std::vector<Example> examples = {
      {"eddsa-examples/eddsa-01.json", kCoseMalformed},                // COSE_Sign, tag 98
      {"eddsa-examples/eddsa-02.json", kCoseMalformed},                // COSE_Sign, tag 98
      {"eddsa-examples/eddsa-sig-01.json", kCoseUnprotectedNotEmpty},  // kid; verified below without it
      {"eddsa-examples/eddsa-sig-02.json", kCoseUnprotectedNotEmpty},  // kid; Ed448
      {"sign1-tests/sign-fail-01.json", kCoseMalformed},               // tag 998
      {"sign1-tests/sign-fail-02.json", kCoseUnprotectedNotEmpty},     // and a changed payload
      {"sign1-tests/sign-fail-03.json", kCoseUnprotectedNotEmpty},     // and alg -999
      {"sign1-tests/sign-fail-04.json", kCoseUnprotectedNotEmpty},     // and alg "unknown"
      {"sign1-tests/sign-fail-06.json", kCoseUnprotectedNotEmpty},     // and a header added after signing
      {"sign1-tests/sign-fail-07.json", kCoseUnprotectedNotEmpty},     // and a header removed after signing
      {"sign1-tests/sign-pass-01.json", kCoseUnprotectedNotEmpty},     // alg is not protected
      {"sign1-tests/sign-pass-02.json", kCoseUnprotectedNotEmpty},     // kid; ES256
      {"sign1-tests/sign-pass-03.json", kCoseMalformed},               // no tag
      {"CWT/A_4.json", kCoseMalformed},                                // COSE_Mac0, tag 17
      {"CWT/A_5.json", kCoseMalformed},                                // COSE_Encrypt0, tag 16
      {"CWT/A_6.json", kCoseMalformed},                                // COSE_Encrypt0, tag 16
      {"CWT/A_7.json", kCoseMalformed},                                // COSE_Mac0, tag 17
  };
  for (const Example& example : examples) {
    const std::string path = "vectors/cose/" + std::string(example.file);
    EML_SHARED_FILE_OR_SKIP(text, path);
    const auto json = test::parse_vectors(text);
    const Bytes bytes = unhex(std::string_view(json.at("output").at("cbor").as_string()));
    ASSERT_FALSE(bytes.empty());
    const auto decoded = UnverifiedSign1::decode(bytes);
    ASSERT_FALSE(decoded) << example.file;
    EXPECT_EQ(decoded.error().code(), example.code) << example.file << ": " << decoded.error().to_string();
  }
}

TEST(Sign1, DecodesAnEs256TokenAndRefusesItsAlgorithm) {
  EML_SHARED_FILE_OR_SKIP(text, "vectors/cose/CWT/A_3.json");
  const auto json = test::parse_vectors(text);
  const auto decoded = UnverifiedSign1::decode(unhex(std::string_view(json.at("output").at("cbor").as_string())));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->header(), (CoseHeader{.algorithm = -7, .content_type = std::nullopt}));
  EXPECT_EQ(hex(decoded->payload()), std::string_view(json.at("input").at("plaintext_hex").as_string()));
  EXPECT_EQ(decoded->expect_header(kReceipt).error().code(), kCoseWrongAlgorithm);
  EXPECT_EQ(decoded->verify(some_key().public_key()).error().code(), kCoseWrongAlgorithm);
}

// The one example that is ours but for its unprotected kid, which no signature covers: without it, it must verify, and
// our own signature over the same input must be the same bytes.
TEST(Sign1, SignsAndVerifiesTheWorkingGroupsEd25519Example) {
  EML_SHARED_FILE_OR_SKIP(text, "vectors/cose/eddsa-examples/eddsa-sig-01.json");
  const auto json = test::parse_vectors(text);
  VectorObject file(json, "eddsa-sig-01");
  file.ignore({"title"});
  VectorObject input(file.value("input"), "input");
  input.ignore({"rng_description"});
  VectorObject sign0(input.value("sign0"), "sign0");
  sign0.ignore({"unprotected"});
  EXPECT_EQ(sign0.text("alg"), "EdDSA");
  VectorObject protected_header(sign0.value("protected"), "protected");
  EXPECT_EQ(protected_header.text("alg"), "EdDSA");
  const CoseHeader header{.content_type = protected_header.number("ctyp")};
  VectorObject key(sign0.value("key"), "key");
  key.ignore({"kid", "kty"});
  EXPECT_EQ(key.text("crv"), "Ed25519");
  const Ed25519Key private_key = Ed25519Key::from_seed(secret_of(key.text("d_hex"))).value();
  EXPECT_EQ(hex(private_key.public_key()), key.text("x_hex"));

  VectorObject output(file.value("output"), "output");
  output.ignore({"cbor_diag"});
  Bytes bytes = unhex(output.text("cbor"));
  const Bytes kid = unhex("a104423131");
  const auto at = std::ranges::search(bytes, kid);
  ASSERT_FALSE(at.empty());
  const auto after = bytes.erase(at.begin(), at.end());
  bytes.insert(after, 0xa0);
  const auto decoded = UnverifiedSign1::decode(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->header(), header);
  const std::string plaintext = input.text("plaintext");
  EXPECT_EQ(as_text(decoded->verify(private_key.public_key()).value()), plaintext);
  EXPECT_EQ(sign1(private_key, header, as_bytes(plaintext)), bytes);

  VectorObject intermediates(file.value("intermediates"), "intermediates");
  std::string to_be_signed = intermediates.text("ToBeSign_hex");
  for (char& c : to_be_signed) c = static_cast<char>(std::tolower(c));
  CborWriter writer;
  writer.array(4).text("Signature1").bytes(unhex("a201270300")).bytes({}).bytes(as_bytes(plaintext));
  EXPECT_EQ(hex(writer.view()), to_be_signed);
}

}  // namespace
}  // namespace eml
