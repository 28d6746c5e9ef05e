// Properties: what our parser accepts, Boost.JSON's accepts too, with the same meaning but for its rounding; the
// compact form reads back to itself, the canonical form is a fixed point, and every buffer of a value is wiped.
#include <boost/json/parse.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "encoding/json.h"
#include "encoding/wiping_resource.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// A double that was an integer too large for 64 bits reads back as the integer that its shortest text is; so the text
// is what must not change.
void check_forms(const eml::Json& value) {
  const std::string compact = eml::compact_json(value);
  const auto again = eml::parse_json(eml::as_bytes(compact));
  require(again.has_value());
  require(eml::compact_json(*again) == compact);
  const std::string canonical = eml::canonical_json(value);
  const auto canonical_again = eml::parse_json(eml::as_bytes(canonical));
  require(canonical_again.has_value());
  require(eml::canonical_json(*canonical_again) == canonical);
  require(eml::canonical_json(*again) == canonical);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes(data, size);
  eml::WipingResource resource;
  {
    const auto value = eml::parse_json(bytes, {}, &resource);
    if (value) {
      boost::json::error_code error;
      boost::json::parse(eml::as_text(bytes), error);
      // It refuses exponents of more than some digits; to us a number that is too small is zero.
      require(!error || error == boost::json::error::exponent_overflow);
      check_forms(*value);
    }
  }
  require(resource.buffers_allocated() == resource.buffers_wiped());
  return 0;
}
