// Property: what is taken for an answer is exactly the document in its frame, and nothing around it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "attester/nitro_attester.h"
#include "encoding/cbor.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView answer(data, size);
  const auto document = eml::decode_nsm_document(answer);
  if (!document) return 0;
  eml::CborWriter out;
  out.map(1).text("Attestation").map(1).text("document").bytes(*document);
  if (document->empty() || !eml::equal(out.view(), answer)) std::abort();
  return 0;
}
