// verify_chain beside OpenSSL's X509_verify_cert: on genuine chains they agree, and on mutated ones we accept nothing
// that OpenSSL refuses.
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <random>
#include <string>
#include <vector>

#include "crypto/openssl.h"
#include "crypto/x509.h"
#include "tests/support/shared.h"
#include "tests/support/shared_corpus.h"

namespace eml {
namespace {

using X509Ptr = std::unique_ptr<X509, openssl::Deleter<X509_free>>;
using StorePtr = std::unique_ptr<X509_STORE, openssl::Deleter<X509_STORE_free>>;
using StoreCtxPtr = std::unique_ptr<X509_STORE_CTX, openssl::Deleter<X509_STORE_CTX_free>>;

X509Ptr parsed(ByteView der) {
  const unsigned char* in = der.data();
  X509Ptr out(d2i_X509(nullptr, &in, static_cast<long>(der.size())));
  const bool whole = out != nullptr && in == der.data() + der.size();
  ERR_clear_error();
  return whole ? std::move(out) : nullptr;
}

bool openssl_accepts(const std::vector<Bytes>& chain, ByteView root, UnixSeconds time, bool strict) {
  const X509Ptr leaf = parsed(chain.front());
  const X509Ptr anchor = parsed(root);
  if (leaf == nullptr || anchor == nullptr) return false;
  const StorePtr store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), anchor.get());
  std::vector<X509Ptr> rest;
  STACK_OF(X509)* const untrusted = sk_X509_new_null();
  for (std::size_t i = 1; i < chain.size(); ++i) {
    rest.push_back(parsed(chain[i]));
    if (rest.back() != nullptr) sk_X509_push(untrusted, rest.back().get());
  }
  const StoreCtxPtr ctx(X509_STORE_CTX_new());
  X509_STORE_CTX_init(ctx.get(), store.get(), leaf.get(), untrusted);
  X509_VERIFY_PARAM* const param = X509_STORE_CTX_get0_param(ctx.get());
  X509_VERIFY_PARAM_set_time(param, time);
  X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY);
  if (strict) X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
  const bool accepts = X509_verify_cert(ctx.get()) == 1;
  sk_X509_free(untrusted);
  ERR_clear_error();
  return accepts;
}

bool we_accept(const std::vector<Bytes>& chain, ByteView root, UnixSeconds time, bool strict) {
  std::vector<Certificate> certificates;
  for (const Bytes& der : chain) {
    auto certificate = Certificate::decode_der(der);
    if (!certificate) return false;
    certificates.push_back(std::move(*certificate));
  }
  const auto anchor = Certificate::decode_der(root);
  return anchor && verify_chain(certificates, *anchor, time, {.strict = strict}).has_value();
}

struct GenuineChain {
  const char* leaf;  // DER, or nothing
  const char* pem;
};
constexpr GenuineChain kChains[] = {
    {"corpus/open/sevsnp/milan_v2_virtee_vek.der", "corpus/roots/amd/ask_ark_milan.pem"},
    {"corpus/open/sevsnp/genoa_v3_azure_openpcc_vek.der", "corpus/roots/amd/ask_ark_genoa.pem"},
    {nullptr, "corpus/open/nvidia/h100_550_90_07_chain.pem"},
    {nullptr, "corpus/open/nvidia/ls10_switch_chain.pem"},
    {nullptr, "corpus/roots/amd/ask_ark_turin_vcek.pem"},
};

std::vector<std::vector<Bytes>> genuine_chains() {
  std::vector<std::vector<Bytes>> out;
  for (const GenuineChain& names : kChains) {
    const auto pem = test::read_bytes(test::shared_dir() / names.pem);
    if (!pem) continue;
    std::vector<Bytes> chain;
    if (names.leaf != nullptr) chain.push_back(test::read_bytes(test::shared_dir() / names.leaf).value());
    for (const Certificate& certificate : decode_pem_certificates(*pem).value()) chain.push_back(certificate.der());
    out.push_back(std::move(chain));
  }
  return out;
}

constexpr UnixSeconds kTimes[] = {0, 1672531200, 1751328000, 4102444800};  // 1970, 2023, 2025-07, 2100

TEST(ChainDifferential, GenuineChainsGetTheVerdictThatOpensslGives) {
  const auto chains = genuine_chains();
  if (!test::has_shared_corpus()) GTEST_SKIP() << test::no_shared_corpus();
  ASSERT_FALSE(chains.empty());
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < chains.size(); ++i) {
    for (const UnixSeconds time : kTimes) {
      for (const bool strict : {false, true}) {
        for (const Bytes& root : {chains[i].back(), chains[(i + 1) % chains.size()].back()}) {
          const bool ours = we_accept(chains[i], root, time, strict);
          EXPECT_EQ(ours, openssl_accepts(chains[i], root, time, strict))
              << i << " at " << time << " strict " << strict;
          if (ours) ++accepted;
        }
      }
    }
  }
  EXPECT_GT(accepted, 5U);
}

TEST(ChainDifferential, NoMutatedChainIsAcceptedThatOpensslRefuses) {
  const auto chains = genuine_chains();
  if (!test::has_shared_corpus()) GTEST_SKIP() << test::no_shared_corpus();
  ASSERT_FALSE(chains.empty());
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same mutations in every run
  for (int i = 0; i < 1000; ++i) {
    std::vector<Bytes> chain = chains[static_cast<std::size_t>(i) % chains.size()];
    const Bytes root = chain.back();
    Bytes& one = chain[random() % chain.size()];
    one[random() % one.size()] ^= static_cast<std::uint8_t>(1U << (random() % 8));
    const UnixSeconds time = kTimes[1 + random() % 2];
    if (we_accept(chain, root, time, false)) EXPECT_TRUE(openssl_accepts(chain, root, time, false)) << i;
  }
}

}  // namespace
}  // namespace eml
