#include "crypto/key_file.h"

#include <algorithm>
#include <array>
#include <utility>

namespace eml {
namespace {

constexpr std::string_view kPrivateSchema = "eml-key/1";
constexpr std::string_view kPublicSchema = "eml-public-key/1";
constexpr std::size_t kSeedSize = 32;
constexpr std::size_t kSeedCharacters = 43;

constexpr std::array<std::pair<KeyPurpose, std::string_view>, 4> kPurposes = {{{KeyPurpose::kPublisher, "publisher"},
                                                                               {KeyPurpose::kBroker, "broker"},
                                                                               {KeyPurpose::kPolicy, "policy"},
                                                                               {KeyPurpose::kLocalRoot, "local-root"}}};

SecretAccess access() { return SecretAccess::i_am_cryptography_or_a_test(); }

// Scanner walks the one shape that a key file has. A JSON library would leave copies of the seed in its buffers.
class Scanner {
 public:
  explicit Scanner(ByteView bytes) : text_(as_text(bytes)) {}

  // next consumes white space and then exactly `token`.
  Status next(std::string_view token) {
    skip_space();
    if (!text_.substr(at_).starts_with(token)) return malformed();
    at_ += token.size();
    return {};
  }

  // string consumes a JSON string without escapes and views its characters.
  Result<std::string_view> string() {
    EML_CHECK(next("\""));
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] < 0x20 || text_[at_] > 0x7e || text_[at_] == '\\') return malformed();
      ++at_;
    }
    if (at_ == text_.size()) return malformed();
    return text_.substr(begin, at_++ - begin);
  }

  // member consumes `"name": "value"`, with the comma before all but the first.
  Result<std::string_view> member(std::string_view name) {
    if (std::exchange(first_, false)) {
      EML_CHECK(next("{"));
    } else {
      EML_CHECK(next(","));
    }
    skip_space();
    const std::size_t begin = at_;
    EML_TRY(const std::string_view found, string());
    if (found != name) {
      at_ = begin;
      return malformed();
    }
    EML_CHECK(next(":"));
    skip_space();
    value_at_ = at_;
    return string();
  }

  Status end() {
    EML_CHECK(next("}"));
    skip_space();
    if (at_ != text_.size()) return malformed();
    return {};
  }

  // bad_value is the error for the value of the last member.
  std::unexpected<Error> bad_value() const {
    return fail(kKeyFileMalformed, "a member of a key file has a wrong value", value_at_);
  }

 private:
  std::unexpected<Error> malformed() const { return fail(kKeyFileMalformed, "a key file has another form", at_); }
  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t value_at_ = 0;
  bool first_ = true;
};

// Base64url without tables or branches on the secret: value is 0..63, or 64 and more for a foreign character.
std::uint32_t sextet(char character) {
  const auto c = static_cast<std::uint32_t>(static_cast<unsigned char>(character));
  // All ones if low <= c <= high.
  const auto in = [c](std::uint32_t low, std::uint32_t high) { return (((c - low) | (high - c)) >> 31) - 1; };
  const std::uint32_t upper = in('A', 'Z');
  const std::uint32_t lower = in('a', 'z');
  const std::uint32_t digit = in('0', '9');
  const std::uint32_t minus = in('-', '-');
  const std::uint32_t under = in('_', '_');
  const std::uint32_t known = upper | lower | digit | minus | under;
  return (upper & (c - 'A')) | (lower & (c - 'a' + 26)) | (digit & (c - '0' + 52)) | (minus & 62) | (under & 63) |
         (~known & 64);
}

char character(std::uint32_t value) {
  // All ones if value < limit.
  const auto below = [value](std::uint32_t limit) { return 0U - ((value - limit) >> 31); };
  std::uint32_t c = value - 62 + '-';
  c = (below(62) & (value - 52 + '0')) | (~below(62) & c);
  c = (below(52) & (value - 26 + 'a')) | (~below(52) & c);
  c = (below(26) & (value + 'A')) | (~below(26) & c);
  c += (~below(63) & ('_' - '.'));
  return static_cast<char>(c);
}

std::optional<SecretBytes> seed_of(std::string_view text) {
  if (text.size() != kSeedCharacters) return std::nullopt;
  SecretBytes seed(kSeedSize);
  const MutableByteView out = seed.write(access());
  std::uint32_t bits = 0;
  std::uint32_t foreign = 0;
  std::size_t written = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint32_t value = sextet(text[i]);
    foreign |= value >> 6;
    bits = (bits << 6) | (value & 63);
    const std::size_t have = (i + 1) * 6 - written * 8;
    if (have >= 8) out[written++] = static_cast<std::uint8_t>(bits >> (have - 8));
  }
  if (foreign != 0 || (bits & 3) != 0) return std::nullopt;  // 258 bits for 256: the last two are zero
  return seed;
}

void append_seed(WipingVector<std::uint8_t>& out, const SecretBytes& seed) {
  const ByteView bytes = seed.read(access());
  std::uint32_t bits = 0;
  std::size_t have = 0;
  for (const std::uint8_t byte : bytes) {
    bits = (bits << 8) | byte;
    for (have += 8; have >= 6; have -= 6)
      out.push_back(static_cast<std::uint8_t>(character((bits >> (have - 6)) & 63)));
  }
  out.push_back(static_cast<std::uint8_t>(character((bits << (6 - have)) & 63)));
}

Status expect_schema(Scanner& in, std::string_view wanted) {
  EML_TRY(const std::string_view schema, in.member("schema"));
  if (schema == wanted) return {};
  if (schema == kPublicSchema) return fail(kKeyFileUnsupported, "a public key file where a private one is needed");
  if (schema == kPrivateSchema) return fail(kKeyFileUnsupported, "a private key file where a public one is needed");
  return fail(kKeyFileUnsupported, "a key file of an unknown schema");
}

Status expect_purpose(Scanner& in, KeyPurpose wanted) {
  EML_TRY(const std::string_view text, in.member("purpose"));
  const auto purpose = key_purpose(text);
  if (!purpose) return in.bad_value();
  if (*purpose != wanted) return fail(kKeyFileWrongPurpose, "a key file is for another purpose");
  return {};
}

Result<Ed25519PublicKey> public_key_of(Scanner& in) {
  EML_TRY(const std::string_view text, in.member("public_key"));
  const auto bytes = from_hex(text);
  const auto key = bytes ? to_array<32>(*bytes) : std::nullopt;
  if (!key || hex(*key) != text) return in.bad_value();
  return *key;
}

Result<PrivateKeyFile> decode_private(ByteView text, KeyPurpose wanted) {
  if (text.size() > kKeyFileMax) return fail(kKeyFileTooLarge, "a key file is too large", kKeyFileMax, text.size());
  Scanner in(text);
  EML_CHECK(expect_schema(in, kPrivateSchema));
  EML_CHECK(expect_purpose(in, wanted));
  EML_TRY(const std::string_view created_text, in.member("created"));
  const auto created = parse_rfc3339(created_text);
  if (!created || rfc3339(*created) != created_text) return in.bad_value();
  EML_TRY(const Ed25519PublicKey public_key, public_key_of(in));
  EML_TRY(const std::string_view seed_text, in.member("seed"));
  const auto seed = seed_of(seed_text);
  if (!seed) return in.bad_value();
  EML_CHECK(in.end());
  EML_TRY(Ed25519Key key, Ed25519Key::from_seed(*seed));
  if (key.public_key() != public_key) return fail(kKeyFileMismatch, "the public key of a key file is not its seed's");
  return PrivateKeyFile{.created = *created, .key = std::move(key)};
}

void append(WipingVector<std::uint8_t>& out, std::string_view text) { out.insert(out.end(), text.begin(), text.end()); }

}  // namespace

std::string_view to_string(KeyPurpose purpose) {
  return std::ranges::find(kPurposes, purpose, &std::pair<KeyPurpose, std::string_view>::first)->second;
}

std::optional<KeyPurpose> key_purpose(std::string_view text) {
  const auto found = std::ranges::find(kPurposes, text, &std::pair<KeyPurpose, std::string_view>::second);
  if (found == kPurposes.end()) return std::nullopt;
  return found->first;
}

WipingVector<std::uint8_t> encode_private_key_file(KeyPurpose purpose, UnixSeconds created, const Ed25519Key& key) {
  WipingVector<std::uint8_t> out;
  out.reserve(kKeyFileMax);
  append(out, R"({"schema":"eml-key/1","purpose":")");
  append(out, to_string(purpose));
  append(out, R"(","created":")");
  append(out, rfc3339(created));
  append(out, R"(","public_key":")");
  append(out, hex(key.public_key()));
  append(out, R"(","seed":")");
  append_seed(out, key.export_seed(access()));
  append(out, "\"}\n");
  return out;
}

Result<PrivateKeyFile> decode_private_key_file(MutableByteView text, KeyPurpose wanted) {
  auto decoded = decode_private(text, wanted);
  wipe(text);
  return decoded;
}

std::string encode_public_key_file(KeyPurpose purpose, const Ed25519PublicKey& key) {
  std::string out = R"({"schema":"eml-public-key/1","purpose":")";
  out += to_string(purpose);
  out += R"(","public_key":")";
  out += hex(key);
  out += "\"}\n";
  return out;
}

Result<Ed25519PublicKey> decode_public_key_file(ByteView text, KeyPurpose wanted) {
  if (text.size() > kKeyFileMax) return fail(kKeyFileTooLarge, "a key file is too large", kKeyFileMax, text.size());
  Scanner in(text);
  EML_CHECK(expect_schema(in, kPublicSchema));
  EML_CHECK(expect_purpose(in, wanted));
  EML_TRY(const Ed25519PublicKey key, public_key_of(in));
  EML_CHECK(in.end());
  return key;
}

}  // namespace eml
