// Properties: what decodes replays in each of its hashes and in no other, to as many registers as events extended; a
// log with padding behind it is the same log; names are printable.
#include <cstdlib>
#include <set>

#include "attestation/tpm/event_log.h"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

void check_algorithm(const eml::EventLog& log, std::uint16_t algorithm) {
  const auto registers = eml::replay_event_log(log, algorithm);
  const auto named = eml::name_events(log, algorithm);
  must(registers.has_value() && named.has_value());
  std::set<std::uint32_t> indices;
  for (const eml::NamedEvent& event : *named) {
    indices.insert(event.index);
    for (const char c : event.name) must(c >= 0x20 && c < 0x7f);
  }
  must(indices.size() == registers->size());
  for (const auto& [index, value] : *registers) {
    must(indices.contains(index) && value.size() == eml::tpm_hash_size(algorithm));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes(data, size);
  const auto log = eml::decode_event_log(bytes);
  if (!log) return 0;
  for (const std::uint16_t algorithm : log->algorithms) check_algorithm(*log, algorithm);
  must(!eml::replay_event_log(*log, 0));
  const auto padded = eml::decode_event_log(eml::concat(bytes, eml::Bytes(13, 0xff)));
  must(!padded || padded->events.size() == log->events.size());
  return 0;
}
