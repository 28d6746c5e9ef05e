// Property: whatever is asked, there is an answer; it is one JSON object, and its verdict and the status say the same.
#include <cstdint>
#include <cstdlib>

#include "abi/ephemeralml_evidence.h"
#include "encoding/json.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  char* answer = nullptr;
  std::size_t answer_size = 0;
  const int status = eml_evidence_verify(reinterpret_cast<const char*>(data), size, &answer, &answer_size);
  require(answer != nullptr);
  const auto json = eml::parse_json(eml::as_bytes(std::string_view(answer, answer_size)));
  eml_free(answer);
  require(json && json->is_object());
  const auto verdict = eml::json_text(json->get_object(), "verdict");
  require(verdict.has_value());
  require((status == EML_ACCEPTED) == (*verdict == "valid" || *verdict == "verified under a root that you gave"));
  require(*verdict != "not judged" || status == EML_NOT_JUDGED);
  return 0;
}
