#include "keys/key_file.h"

#include <array>
#include <utility>

#include "base/files.h"
#include "crypto/hkdf.h"
#include "package/dek.h"

namespace eml {

namespace {

constexpr std::string_view kPrivateMagic = "eml-key/1 ";
constexpr std::string_view kPublicMagic = "eml-pub/1 ";
constexpr std::size_t kFileBytesMax = 512;
constexpr std::size_t kSeedSize = 32;

constexpr std::array<std::pair<KeyPurpose, std::string_view>, 3> kPurposes{{
    {KeyPurpose::kPublisher, "publisher"},
    {KeyPurpose::kBroker, "broker"},
    {KeyPurpose::kPolicy, "policy"},
}};

constexpr Error kNoForm{kKeyFileMalformed, "not a key file of ours: one line, magic, purpose, hex digits"};

// next_word takes the text up to the next blank or the line feed that ends the file.
std::string_view next_word(std::string_view& rest) {
  const std::size_t end = rest.find_first_of(" \n");
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
  return word;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Decodes straight into memory that is wiped: from_hex would leave a copy of the seed behind.
bool decode_digits(std::string_view digits, MutableByteView out) {
  if (digits.size() != 2 * out.size()) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = digit_of(digits[2 * i]);
    const int low = digit_of(digits[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

struct SeedFile {
  KeyPurpose purpose;
  SecretBytes seed;
};

Result<SeedFile> parse_seed(std::string_view text) {
  if (!text.starts_with(kPrivateMagic) || !text.ends_with('\n')) return std::unexpected(kNoForm);
  text.remove_prefix(kPrivateMagic.size());
  const auto purpose = parse_key_purpose(next_word(text));
  if (!purpose || !text.starts_with(' ')) return std::unexpected(kNoForm);
  text.remove_prefix(1);
  ByteArray<kSeedSize> seed{};
  const bool good = decode_digits(next_word(text), seed) && text == "\n";
  SecretBytes secret = copy_to_secret(seed);
  wipe(seed);
  if (!good) return std::unexpected(kNoForm);
  return SeedFile{.purpose = *purpose, .seed = std::move(secret)};
}

Result<SecretBytes> read_seed(const std::string& path, KeyPurpose purpose) {
  EML_TRY(Bytes content, read_file(path, kFileBytesMax));
  auto file = parse_seed(as_text(content));
  wipe(content);
  if (!file) return std::unexpected(file.error());
  if (file->purpose != purpose) return fail(kKeyFilePurpose, "the key in the file is for another purpose");
  return std::move(file->seed);
}

Result<std::string> public_line(KeyPurpose purpose, const SecretBytes& seed) {
  std::string line = std::string(kPublicMagic) + std::string(to_string(purpose)) + " ";
  if (purpose == KeyPurpose::kBroker) {
    EML_TRY(const BrokerKeys keys, derive_broker_keys(seed));
    return line + hex(keys.signing.public_key()) + " " + hex(keys.wrapping.public_key());
  }
  EML_TRY(const Ed25519Key key, Ed25519Key::from_seed(seed));
  return line + hex(key.public_key());
}

}  // namespace

std::string_view to_string(KeyPurpose purpose) {
  for (const auto& [value, name] : kPurposes) {
    if (value == purpose) return name;
  }
  return "";
}

std::optional<KeyPurpose> parse_key_purpose(std::string_view name) {
  for (const auto& [value, text] : kPurposes) {
    if (text == name) return value;
  }
  return std::nullopt;
}

Result<BrokerKeys> derive_broker_keys(const SecretBytes& seed) {
  const SecretBytes prk = hkdf_extract({}, seed);
  EML_TRY(Ed25519Key signing, Ed25519Key::from_seed(hkdf_expand(prk, label("eml broker signing key v1"), kSeedSize)));
  const SecretBytes ikm = hkdf_expand(prk, label("eml broker wrapping key v1"), kSeedSize);
  EML_TRY(KemKeyPair wrapping, KemKeyPair::derive(kKemX25519HkdfSha256, ikm));
  return BrokerKeys{.signing = std::move(signing), .wrapping = std::move(wrapping)};
}

Result<std::string> write_new_key(const std::string& path, KeyPurpose purpose, Random& random) {
  auto seed = random.array<kSeedSize>();
  const SecretBytes secret = copy_to_secret(seed);
  // No temporary strings: what holds digits of the seed is this one buffer.
  Bytes content;
  content.reserve(kFileBytesMax);
  const auto append = [&](std::string_view text) { content.insert(content.end(), text.begin(), text.end()); };
  append(kPrivateMagic);
  append(to_string(purpose));
  append(" ");
  for (const std::uint8_t byte : seed) {
    content.push_back(static_cast<std::uint8_t>("0123456789abcdef"[byte >> 4]));
    content.push_back(static_cast<std::uint8_t>("0123456789abcdef"[byte & 15]));
  }
  append("\n");
  wipe(seed);
  const auto status = write_file(path, content, WriteMode::kNewPrivate);
  wipe(content);
  EML_CHECK(status);
  EML_TRY(std::string line, public_line(purpose, secret));
  EML_CHECK(write_file(path + ".pub", as_bytes(line + "\n")));
  return line;
}

Result<Ed25519Key> read_signing_key(const std::string& path, KeyPurpose purpose) {
  EML_TRY(const SecretBytes seed, read_seed(path, purpose));
  return Ed25519Key::from_seed(seed);
}

Result<BrokerKeys> read_broker_keys(const std::string& path) {
  EML_TRY(const SecretBytes seed, read_seed(path, KeyPurpose::kBroker));
  return derive_broker_keys(seed);
}

Result<PublicKeys> parse_public_keys(std::string_view text) {
  if (!text.starts_with(kPublicMagic) || !text.ends_with('\n')) return std::unexpected(kNoForm);
  text.remove_prefix(kPublicMagic.size());
  const auto purpose = parse_key_purpose(next_word(text));
  if (!purpose || !text.starts_with(' ')) return std::unexpected(kNoForm);
  text.remove_prefix(1);
  PublicKeys keys{.purpose = *purpose, .signing = {}, .key_id = {}};
  if (!decode_digits(next_word(text), keys.signing)) return std::unexpected(kNoForm);
  if (*purpose == KeyPurpose::kBroker) {
    if (!text.starts_with(' ')) return std::unexpected(kNoForm);
    text.remove_prefix(1);
    ByteArray<32> wrapping{};
    if (!decode_digits(next_word(text), wrapping)) return std::unexpected(kNoForm);
    keys.key_id = x25519_key_id(wrapping);
  }
  if (text != "\n") return std::unexpected(kNoForm);
  return keys;
}

Result<PublicKeys> read_public_keys(const std::string& path) {
  EML_TRY(const Bytes content, read_file(path, kFileBytesMax));
  return parse_public_keys(as_text(content));
}

}  // namespace eml
