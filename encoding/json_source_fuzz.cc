// Property: for every member of an accepted object, the source that is found parses to the member's value; or the name
// is written with escapes, and nothing is found.
#include <cstdlib>

#include "encoding/json.h"
#include "encoding/json_source.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes(data, size);
  static_cast<void>(eml::json_member_source(bytes, "signature"));
  const auto document = eml::parse_json(bytes);
  if (!document || !document->is_object()) return 0;
  for (const auto& member : document->get_object()) {
    const auto source = eml::json_member_source(bytes, std::string_view(member.key()));
    if (!source) continue;
    const auto value = eml::parse_json(*source);
    if (!value || eml::compact_json(*value) != eml::compact_json(member.value())) std::abort();
  }
  return 0;
}
