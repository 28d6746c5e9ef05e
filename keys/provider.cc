#include "keys/provider.h"

#include "package/dek.h"

namespace eml {

Result<FileProvider> FileProvider::open(const std::string& broker_key_path) {
  EML_TRY(BrokerKeys keys, read_broker_keys(broker_key_path));
  return FileProvider(std::move(keys));
}

Result<ReleasedDek> FileProvider::release(const DekRequest& request) {
  const Manifest& manifest = request.manifest->manifest;
  EML_TRY(SecretBytes dek, unwrap_dek(request.wrapped_dek, manifest.package_id, manifest.key_id, keys_.wrapping));
  return ReleasedDek{.dek = std::move(dek), .record = {}, .evaluation = true};
}

}  // namespace eml
