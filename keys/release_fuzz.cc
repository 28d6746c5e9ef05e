// Release requests and statements that decode encode again to the same bytes; logs that verify stay verified when their
// last line feed is taken off, less one record; a broker's configuration gives a failure with a reason or a whole
// config. The first byte chooses what the rest is.
#include <cstdint>
#include <cstdlib>

#include "keys/broker_config.h"
#include "keys/release_log.h"
#include "keys/release_message.h"

namespace {

void request(eml::ByteView input) {
  const auto decoded = eml::decode_release_request(input);
  if (decoded && !eml::equal(eml::encode_release_request(*decoded), input)) std::abort();
}

void statement(eml::ByteView input) {
  const auto decoded = eml::decode_release_statement(input);
  if (decoded && !eml::equal(eml::encode_release_statement(*decoded), input)) std::abort();
}

void log(eml::ByteView input) {
  const auto report = eml::verify_log(input);
  if (!report) return;
  if (report->whole_bytes + report->torn_bytes != input.size()) std::abort();
  if (report->records == 0) return;
  const auto cut = eml::verify_log(input.first(static_cast<std::size_t>(report->whole_bytes) - 1));
  if (!cut || cut->records + 1 != report->records || cut->torn_bytes == 0) std::abort();
}

void config(eml::ByteView input) {
  const auto decoded = eml::read_broker_config(eml::as_text(input));
  if (!decoded && decoded.error().to_string().empty()) std::abort();
}

}  // namespace

// libFuzzer fixes this name.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const eml::ByteView input(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      request(input);
      break;
    case 1:
      statement(input);
      break;
    case 2:
      log(input);
      break;
    default:
      config(input);
      break;
  }
  return 0;
}
