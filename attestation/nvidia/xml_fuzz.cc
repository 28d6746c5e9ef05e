// Properties: the canonical form of what is read is read again and is its own canonical form; a document is signed in
// the one form or not at all, and no input is a manifest of NVIDIA's at time 0.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "attestation/nvidia/rim.h"
#include "attestation/nvidia/xml.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::optional<std::string> canonical(eml::ByteView xml) {
  eml::XmlReader in(xml);
  std::string out;
  eml::XmlCanonicalizer canonicalizer([&out](std::string_view piece) { out += piece; });
  for (;;) {
    const auto event = in.next();
    if (!event) return std::nullopt;
    if (*event == eml::XmlReader::Event::kDone) return out;
    canonicalizer.write(in, *event);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes(data, size);
  require(!eml::VerifiedRim::verify(bytes, eml::nvidia_rim_root(), 0));
  const auto once = canonical(bytes);
  // References are written ('>' and quotes) and never read: those have no second reading.
  if (!once || once->find('&') != std::string::npos) return 0;
  const auto twice = canonical(eml::as_bytes(*once));
  require(twice.has_value());
  require(*twice == *once);
  return 0;
}
