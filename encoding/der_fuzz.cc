// Properties: an element that is read re-encodes identically, whatever it holds; reading ends; every typed reader gives
// what der_element and der_oid write.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "encoding/der.h"

namespace {

void expect(bool property) {
  if (!property) std::abort();
}

void walk(eml::DerReader reader, int depth) {
  while (!reader.at_end()) {
    eml::DerReader copy = reader;
    const auto value = reader.any();
    if (!value) return;
    expect(eml::equal(eml::der_element(value->tag, value->contents), value->whole));
    if (const auto oid = eml::DerReader(copy).oid()) {
      const std::string dotted = eml::dotted_oid(*oid);
      expect(dotted.empty() || eml::equal(eml::der_oid(dotted), *oid));
    }
    if (const auto number = eml::DerReader(copy).integer()) expect(value->contents.size() <= 9);
    (void)eml::DerReader(copy).time();
    (void)eml::DerReader(copy).boolean();
    (void)eml::DerReader(copy).bit_string();
    if ((value->tag & 0x20) != 0 && depth < 64) walk(*copy.enter(value->tag), depth + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  walk(eml::DerReader({data, size}), 0);
  return 0;
}
