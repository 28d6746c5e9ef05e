// TLS 1.3 as the peer of our channel: OpenSSL's own, both ends in this process over memory, with the same primitives
// (Ed25519 certificate, X25519, ChaCha20-Poly1305). No session tickets, no resumption: what our handshake does.
#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <memory>
#include <vector>

namespace {

template <auto release>
struct Free {
  template <typename T>
  void operator()(T* pointer) const {
    release(pointer);
  }
};
using Ctx = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, Free<SSL_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Cert = std::unique_ptr<X509, Free<X509_free>>;

void must(bool good) {
  if (!good) std::abort();
}

Cert self_signed(EVP_PKEY* key) {
  Cert cert(X509_new());
  X509_set_version(cert.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 86400);
  X509_set_pubkey(cert.get(), key);
  X509_NAME* name = X509_get_subject_name(cert.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("peer"), -1, -1, 0);
  X509_set_issuer_name(cert.get(), name);
  must(X509_sign(cert.get(), key, nullptr) > 0);
  return cert;
}

struct Contexts {
  Ctx server{SSL_CTX_new(TLS_server_method())};
  Ctx client{SSL_CTX_new(TLS_client_method())};
  Contexts() {
    const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    const Cert cert = self_signed(key.get());
    for (SSL_CTX* ctx : {server.get(), client.get()}) {
      must(SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1);
      must(SSL_CTX_set_ciphersuites(ctx, "TLS_CHACHA20_POLY1305_SHA256") == 1);
      must(SSL_CTX_set1_groups_list(ctx, "X25519") == 1);
      SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
      SSL_CTX_set_num_tickets(ctx, 0);
    }
    must(SSL_CTX_use_certificate(server.get(), cert.get()) == 1);
    must(SSL_CTX_use_PrivateKey(server.get(), key.get()) == 1);
    must(X509_STORE_add_cert(SSL_CTX_get_cert_store(client.get()), cert.get()) == 1);
    SSL_CTX_set_verify(client.get(), SSL_VERIFY_PEER, nullptr);
  }
};

struct Pair {
  Ssl server;
  Ssl client;
  explicit Pair(const Contexts& contexts)
      : server(SSL_new(contexts.server.get())), client(SSL_new(contexts.client.get())) {
    BIO* to_server = BIO_new(BIO_s_mem());
    BIO* to_client = BIO_new(BIO_s_mem());
    BIO_up_ref(to_server);
    BIO_up_ref(to_client);
    SSL_set_bio(server.get(), to_server, to_client);
    SSL_set_bio(client.get(), to_client, to_server);
    SSL_set_accept_state(server.get());
    SSL_set_connect_state(client.get());
  }
  void handshake() const {
    for (int i = 0; i < 8; ++i) {
      const int c = SSL_do_handshake(client.get());
      const int s = SSL_do_handshake(server.get());
      if (c == 1 && s == 1) return;
    }
    std::abort();
  }
};

void tls13_handshake_of_both(benchmark::State& state) {
  const Contexts contexts;
  for (auto _ : state) {
    const Pair pair(contexts);
    pair.handshake();
  }
}
BENCHMARK(tls13_handshake_of_both);

void tls13_body_both_ends(benchmark::State& state) {
  const Contexts contexts;
  const Pair pair(contexts);
  pair.handshake();
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::vector<unsigned char> body(size, 7);
  std::vector<unsigned char> out(size);
  for (auto _ : state) {
    must(SSL_write(pair.client.get(), body.data(), static_cast<int>(size)) == static_cast<int>(size));
    std::size_t have = 0;
    while (have < size) {
      const int n = SSL_read(pair.server.get(), out.data() + have, static_cast<int>(size - have));
      must(n > 0);
      have += static_cast<std::size_t>(n);
    }
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(tls13_body_both_ends)->Arg(16384)->Arg(1 << 20);

}  // namespace
