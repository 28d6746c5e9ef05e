// Property: a message that decodes, encoded in the known-length form, decodes to the same message and encodes the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "encoding/bhttp.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes(data, size);
  if (const auto request = eml::decode_request(bytes)) {
    const eml::UserText encoded = eml::encode_request(*request);
    const auto again = eml::decode_request(encoded.bytes());
    require(again.has_value());
    require(again->method == request->method && again->path == request->path && again->authority == request->authority);
    require(again->fields.size() == request->fields.size());
    require(eml::equal(again->content.bytes(), request->content.bytes()));
    require(eml::equal(eml::encode_request(*again).bytes(), encoded.bytes()));
    require(request->fields.size() <= eml::kBhttpFieldsMax);
  }
  if (const auto response = eml::decode_response(bytes)) {
    const eml::UserText encoded = eml::encode_response(*response);
    const auto again = eml::decode_response(encoded.bytes());
    require(again.has_value());
    require(again->status == response->status && again->fields.size() == response->fields.size());
    require(eml::equal(again->content.bytes(), response->content.bytes()));
    require(eml::equal(eml::encode_response(*again).bytes(), encoded.bytes()));
  }
  return 0;
}
