#include "channel/limits.h"
#include "encoding/cbor.h"

namespace eml {
namespace {

constexpr std::uint64_t kCountMax = 0xffffffff;
constexpr std::uint64_t kBytesMax = (std::uint64_t{1} << 48) - 1;  // far beyond any message, far below any overflow

Result<std::uint64_t> read_limit(CborMap& map, std::int64_t key, std::uint64_t max) {
  EML_TRY(CborReader value, map.required(key));
  EML_TRY(const std::uint64_t number, value.uint());
  if (number == 0 || number > max) return fail(kSettingsMalformed, "a limit in SETTINGS is out of range", number);
  return number;
}

}  // namespace

Bytes encode_settings(const Settings& settings) {
  CborWriter out;
  out.map(4).uint(1).uint(settings.streams).uint(2).uint(settings.request_bytes_max);
  out.uint(3).uint(settings.response_bytes_max).uint(4).uint(settings.idle_ms);
  return out.take();
}

Result<Settings> decode_settings(ByteView payload) {
  EML_TRY(CborMap map, CborMap::decode(payload));
  EML_TRY(const std::uint64_t streams, read_limit(map, 1, kCountMax));
  EML_TRY(const std::uint64_t request, read_limit(map, 2, kBytesMax));
  EML_TRY(const std::uint64_t response, read_limit(map, 3, kBytesMax));
  EML_TRY(const std::uint64_t idle, read_limit(map, 4, kCountMax));
  EML_CHECK(map.done());
  return Settings{.streams = static_cast<std::uint32_t>(streams),
                  .request_bytes_max = request,
                  .response_bytes_max = response,
                  .idle_ms = static_cast<std::uint32_t>(idle)};
}

}  // namespace eml
