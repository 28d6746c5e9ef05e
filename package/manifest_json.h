// The manifest as JSON: what is hashed and what is signed. Internal to package/.
#pragma once

#include "encoding/json.h"
#include "package/manifest.h"

namespace eml {

// The signed members: all but "signatures".
JsonObject manifest_body_json(const Manifest& manifest);
JsonObject manifest_model_json(const Manifest& manifest);

// signed_message is L("eml manifest v1") || JCS(all but signatures).
Bytes manifest_signed_message(const Manifest& manifest);

}  // namespace eml
