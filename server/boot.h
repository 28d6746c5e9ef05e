// Boot takes a process from its configuration to a loaded model, in the order of docs/spec/evidence.md, "Boot": 1
// configuration, 2 manifest, 3 key, 4 decrypt and check every file. The first epoch and the listener come after.
#pragma once

#include <memory>
#include <string>

#include "attester/attester.h"
#include "base/clock.h"
#include "keys/provider.h"
#include "server/config.h"
#include "server/served_model.h"

namespace eml {

inline constexpr ErrorCode kBootPrecision{ErrorClass::kUnsupported, "boot-precision"};

// BootFailure is an error and where it happened, for the operator: "broker", "model.safetensors", ...
struct BootFailure {
  Error error;
  std::string where;
};

template <typename T>
using BootResult = std::expected<T, BootFailure>;

// BootContext is what every step needs; all of it outlives the boot.
struct BootContext {
  const ServeConfig& config;
  Attester& attester;
  Random& random;
  const Clock& clock;
  const BootId& boot_id;  // this process's own, in every binding that it makes
};

// load_served_model runs steps 2 to 4. The DEK lives only inside it.
BootResult<ServedModel> load_served_model(const BootContext& context);

// make_release_bundle gives a release bundle with a random challenge, for `policy from-bundle`: it shows what a broker
// would see of this very process, and releases nothing.
BootResult<Bytes> make_release_bundle(const BootContext& context);

}  // namespace eml
