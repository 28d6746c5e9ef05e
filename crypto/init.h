// Start-up of the cryptographic library: its locked heap for private keys, no configuration file, no clean-up at exit.
#pragma once

#include <cstddef>

namespace eml {

// CryptoHeap says how OpenSSL's own locked memory stands: its random generators and the numbers of TLS keys. Our keys
// are in SecretBytes and counted by secret_memory_status. Not locked, but wiped: cipher contexts while they are keyed,
// and a private key during one operation.
struct CryptoHeap {
  bool locked;             // mlock and MADV_DONTDUMP took effect
  std::size_t size_bytes;  // 262144; 0 if the heap could not be made at all
  std::size_t used_bytes;  // handed out now
};

// init_crypto prepares OpenSSL and returns the state of its heap. Every function of this folder calls it first, so it
// need not be called; main does, before any thread and before net/tls, to check `locked` in production mode. Idempotent
// and thread-safe. Algorithms are fetched on their first use; one that OpenSSL lacks ends the process then.
//
// OpenSSL reads no openssl.cnf and no environment variable after this: the attested program decides alone which
// algorithms it uses.
CryptoHeap init_crypto();

}  // namespace eml
