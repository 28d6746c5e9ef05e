#include "attestation/binding.h"

#include <gtest/gtest.h>

#include <functional>

#include "encoding/cbor.h"
#include "tests/support/fake_tee.h"

namespace eml {
namespace {

using test::FakeTee;

std::string code_of(ByteView bytes) {
  const auto binding = decode_binding(bytes);
  return binding ? "ok" : std::string(binding.error().code().name);
}
std::string code_of(const Binding& binding) { return code_of(encode_binding(binding)); }

// The members of a binding, one by one, so that a test can leave out, add or change any.
struct Members {
  std::map<std::uint64_t, Bytes> values;
  static Members of(const Bytes& encoded) {
    Members out;
    CborReader in(encoded);
    const std::size_t pairs = *in.map();
    for (std::size_t i = 0; i < pairs; ++i) {
      const std::uint64_t key = *in.uint();
      out.values[key] = to_bytes(*in.item());
    }
    return out;
  }
  Bytes encode() const {
    CborWriter out;
    out.map(values.size());
    for (const auto& [key, value] : values) out.uint(key).raw(value);
    return out.take();
  }
};

Bytes cbor_uint(std::uint64_t value) { return CborWriter().uint(value).take(); }
Bytes cbor_bytes(std::size_t size) { return CborWriter().bytes(Bytes(size, 1)).take(); }

const FakeTee& tee() {
  static const FakeTee instance;
  return instance;
}
Bytes serve() { return encode_binding(tee().serve_binding()); }
Bytes release() { return encode_binding(tee().release_binding(Hash32{1}, {2})); }

TEST(Binding, ReadsBackAsItWasWritten) {
  Binding fresh = tee().serve_binding();
  fresh.challenge = Hash32{3};
  fresh.devices_hash = Hash32{4};
  for (const Bytes& bytes : {serve(), release(), encode_binding(fresh)}) {
    const auto decoded = decode_binding(bytes);
    ASSERT_TRUE(decoded) << decoded.error().to_string();
    EXPECT_EQ(encode_binding(*decoded), bytes);
  }
  const auto decoded = decode_binding(encode_binding(fresh));
  EXPECT_EQ(decoded->challenge, fresh.challenge);
  EXPECT_EQ(decoded->devices_hash, fresh.devices_hash);
  EXPECT_EQ(decoded->receipt_key, fresh.receipt_key);
}

TEST(Binding, IsRejectedWhenTruncatedAtAnyLengthOrLonger) {
  for (const Bytes& whole : {serve(), release()}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_EQ(code_of(ByteView(whole).first(size)), "binding-malformed") << size;
    }
    Bytes longer = whole;
    longer.push_back(0);
    EXPECT_EQ(code_of(longer), "binding-malformed");
  }
  EXPECT_EQ(code_of(Bytes(kBindingBytesMax + 1)), "binding-malformed");
}

TEST(Binding, NeedsEachOfItsKeys) {
  for (const Bytes& whole : {serve(), release()}) {
    const Members members = Members::of(whole);
    ASSERT_EQ(members.encode(), whole);
    for (const auto& [key, value] : members.values) {
      Members without = members;
      without.values.erase(key);
      EXPECT_EQ(code_of(without.encode()), "binding-malformed") << key;
    }
  }
}

TEST(Binding, RejectsKeysThatItsPurposeDoesNotHave) {
  const auto with = [](const Bytes& whole, std::uint64_t key, Bytes value) {
    Members members = Members::of(whole);
    members.values[key] = std::move(value);
    return code_of(members.encode());
  };
  EXPECT_EQ(with(serve(), 10, cbor_bytes(32)), "binding-malformed");
  EXPECT_EQ(with(serve(), 0, cbor_uint(1)), "binding-malformed");
  EXPECT_EQ(with(serve(), 13, cbor_uint(1)), "binding-malformed");
  for (const std::uint64_t key : {8U, 9U, 11U}) EXPECT_EQ(with(release(), key, cbor_bytes(32)), "binding-malformed");
}

TEST(Binding, RejectsValuesOfAnotherTypeOrSize) {
  for (const Bytes& whole : {serve(), release()}) {
    const Members members = Members::of(whole);
    for (const auto& [key, value] : members.values) {
      for (const Bytes& bad : {CborWriter().null().take(), CborWriter().text("x").take(), cbor_bytes(31),
                               cbor_bytes(33), CborWriter().integer(-1).take(), CborWriter().array(0).take()}) {
        Members changed = members;
        changed.values[key] = bad;
        EXPECT_EQ(code_of(changed.encode()), "binding-malformed") << key;
      }
    }
  }
}

TEST(Binding, RejectsAnotherVersionAndAnotherPurpose) {
  Members members = Members::of(serve());
  members.values[1] = cbor_uint(2);
  EXPECT_EQ(code_of(members.encode()), "binding-version");
  for (const std::uint64_t purpose : {0U, 3U, 257U}) {
    members = Members::of(serve());
    members.values[2] = cbor_uint(purpose);
    EXPECT_EQ(code_of(members.encode()), "binding-malformed");
  }
}

TEST(Binding, RejectsTimesThatMakeNoSense) {
  const auto with = [](UnixSeconds issued_at, UnixSeconds not_after) {
    Binding binding = tee().serve_binding();
    binding.issued_at = issued_at;
    binding.not_after = not_after;
    return code_of(binding);
  };
  EXPECT_EQ(with(1000, 1001), "ok");
  EXPECT_EQ(with(1000, 4600), "ok");
  EXPECT_EQ(with(1000, 4601), "binding-malformed");
  EXPECT_EQ(with(1000, 1000), "binding-malformed");
  EXPECT_EQ(with(1000, 999), "binding-malformed");
  EXPECT_EQ(with(kUnixSecondsMax - 1, kUnixSecondsMax), "ok");
  EXPECT_EQ(with(kUnixSecondsMax, kUnixSecondsMax + 1), "binding-malformed");
}

TEST(Binding, WantsItsModelsInOrderEachOnceAndNotTooMany) {
  const auto models = [](std::initializer_list<Hash32> hashes) {
    CborWriter out;
    out.array(hashes.size());
    for (const Hash32& hash : hashes) out.bytes(hash);
    Members members = Members::of(serve());
    members.values[7] = out.take();
    return code_of(members.encode());
  };
  EXPECT_EQ(models({Hash32{1}, Hash32{2}}), "ok");
  EXPECT_EQ(models({Hash32{2}, Hash32{1}}), "binding-malformed");
  EXPECT_EQ(models({Hash32{1}, Hash32{1}}), "binding-malformed");
  EXPECT_EQ(models({}), "binding-malformed");
  Binding many = tee().serve_binding();
  many.model_hashes.clear();
  for (std::uint8_t i = 0; i < 64; ++i) many.model_hashes.push_back(Hash32{static_cast<std::uint8_t>(63 - i)});
  EXPECT_EQ(code_of(many), "ok");  // encode_binding sorts
  many.model_hashes.push_back(Hash32{64});
  EXPECT_EQ(code_of(many), "binding-malformed");
}

TEST(Binding, OfAReleaseNamesExactlyOneModel) {
  Binding binding = tee().release_binding(Hash32{1}, {2});
  binding.model_hashes.push_back(Hash32{1});
  EXPECT_EQ(code_of(binding), "binding-malformed");
}

TEST(Binding, DigestDiffersByPurpose) {
  const Bytes bytes = serve();
  EXPECT_NE(binding_digest(Purpose::kServe, bytes), binding_digest(Purpose::kRelease, bytes));
}

}  // namespace
}  // namespace eml
