// DekProvider gives the DEK of a package to a process that may have it.
// Source: docs/spec/key_release.md.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "keys/broker_keys.h"
#include "package/manifest.h"

namespace eml {

inline constexpr ErrorCode kReleaseRefused{ErrorClass::kRejected, "release-refused"};

// DekRequest names the package by its verified manifest.
struct DekRequest {
  const TrustedManifest* manifest = nullptr;  // not owned
  ByteView manifest_bytes;                    // as they arrived, for the release bundle
  ByteView wrapped_dek;
};

struct ReleasedDek {
  SecretBytes dek;
  Bytes record;            // what the provider signed about it, for the evidence bundle; empty if it signs nothing
  bool evaluation = true;  // true if the provider looked at no evidence: the server's mode is then evaluation
};

class DekProvider {
 public:
  virtual ~DekProvider() = default;
  virtual Result<ReleasedDek> release(const DekRequest& request) = 0;
  // refusal is the rule by which the last release was refused (kReleaseRefused), for the operator; empty if none was.
  // It is public text from an authenticated answer.
  virtual std::string_view refusal() const { return {}; }
  // name is "broker" or "file".
  virtual std::string_view name() const = 0;
};

// FileProvider unwraps with a broker's key file that lies on the server: no evidence, no policy, no log. Evaluation
// only, and the caller says so loudly at every start.
class FileProvider final : public DekProvider {
 public:
  static Result<FileProvider> open(const std::string& broker_key_path);
  explicit FileProvider(BrokerKeys keys) : keys_(std::move(keys)) {}
  Result<ReleasedDek> release(const DekRequest& request) override;
  std::string_view name() const override { return "file"; }

 private:
  BrokerKeys keys_;
};

}  // namespace eml
