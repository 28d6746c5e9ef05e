// What a person wants to see of a bundle before and apart from any verdict. Nothing here is verified, and both forms
// say so first.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "encoding/json.h"

namespace eml {

inline constexpr std::string_view kUnverifiedNote =
    "UNVERIFIED: this is what the bytes say about themselves. Nothing was checked.";

// describe_bundle reads a bundle as far as it can be read: a binding, configuration or evidence that is not well formed
// becomes {"error": ...} in its place. "verified" is always false. Fails only as decode_bundle does.
Result<Json> describe_bundle(ByteView bundle);

// describe_evidence is the same for one piece of evidence as its platform gave it: "fields" by the names of
// docs/spec/evidence/KIND.md, or "error" if it cannot be read. `kind` is one of kind_verifiers(), or "local".
Json describe_evidence(std::string_view kind, ByteView evidence);

// description_text renders a description for a terminal: one line a value, ASCII only, so that nothing in the bundle
// can move a cursor or pose as a line of ours (each value stays on its line, after its name).
std::string description_text(const Json& description);

}  // namespace eml
