#include "keys/broker_keys.h"

#include <utility>

#include "base/files.h"
#include "crypto/derived_key.h"
#include "crypto/key_file.h"
#include "package/dek.h"

namespace eml {

std::string BrokerKeys::key_id() const { return x25519_key_id(wrapping.public_key()); }

Result<BrokerKeys> derive_broker_keys(Ed25519Key signing) {
  const SecretBytes ikm = derive_secret(signing, label("eml broker wrapping key v1"), 32);
  EML_TRY(KemKeyPair wrapping, KemKeyPair::derive(kKemX25519HkdfSha256, ikm));
  return BrokerKeys{.signing = std::move(signing), .wrapping = std::move(wrapping)};
}

Result<BrokerKeys> read_broker_keys(const std::string& path) {
  EML_TRY(Bytes text, read_file(path, kKeyFileMax));
  EML_TRY(PrivateKeyFile file, decode_private_key_file(text, KeyPurpose::kBroker));
  return derive_broker_keys(std::move(file.key));
}

}  // namespace eml
