#include "crypto/tpm_hash.h"

#include <array>

#include "crypto/openssl.h"

namespace eml {
namespace {

struct Algorithm {
  std::uint16_t id;
  std::size_t size;
  std::string_view name;
  const EVP_MD* (*md)();
};

constexpr std::array<Algorithm, 4> kAlgorithms{{{kTpmSha1, 20, "sha1", EVP_sha1},
                                                {kTpmSha256, 32, "sha256", EVP_sha256},
                                                {kTpmSha384, 48, "sha384", EVP_sha384},
                                                {kTpmSha512, 64, "sha512", EVP_sha512}}};

const Algorithm* find(std::uint16_t id) {
  for (const Algorithm& known : kAlgorithms) {
    if (known.id == id) return &known;
  }
  return nullptr;
}

using MdCtx = std::unique_ptr<EVP_MD_CTX, openssl::Deleter<EVP_MD_CTX_free>>;

}  // namespace

std::size_t tpm_hash_size(std::uint16_t algorithm) {
  const Algorithm* const found = find(algorithm);
  return found == nullptr ? 0 : found->size;
}

std::string_view tpm_hash_name(std::uint16_t algorithm) {
  const Algorithm* const found = find(algorithm);
  return found == nullptr ? std::string_view() : found->name;
}

Bytes tpm_hash(std::uint16_t algorithm, std::initializer_list<ByteView> parts) {
  const Algorithm* const found = find(algorithm);
  if (found == nullptr) return {};
  const MdCtx ctx(EVP_MD_CTX_new());
  if (ctx == nullptr) openssl::panic("no memory for a hash");
  openssl::must(EVP_DigestInit_ex(ctx.get(), found->md(), nullptr));
  for (const ByteView part : parts) openssl::must(EVP_DigestUpdate(ctx.get(), part.data(), part.size()));
  Bytes out(found->size);
  openssl::must(EVP_DigestFinal_ex(ctx.get(), out.data(), nullptr));
  return out;
}

}  // namespace eml
