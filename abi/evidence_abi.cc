#include <cstdlib>
#include <cstring>

#include "abi/ephemeralml_evidence.h"
#include "abi/evidence_request.h"

namespace {

int verify(std::string_view request, char** answer_json, size_t* answer_size) {
  const eml::EvidenceAnswer answer = eml::answer_request(eml::as_bytes(request));
  auto* const out = static_cast<char*>(eml_alloc(answer.json.size() + 1));
  if (out == nullptr) return EML_NO_MEMORY;
  std::memcpy(out, answer.json.c_str(), answer.json.size() + 1);
  *answer_json = out;
  *answer_size = answer.json.size();
  return answer.status;
}

}  // namespace

void* eml_alloc(size_t size) { return std::malloc(size); }

void eml_free(void* buffer) { std::free(buffer); }

int eml_evidence_verify(const char* request_json, size_t request_size, char** answer_json, size_t* answer_size) {
  *answer_json = nullptr;
  *answer_size = 0;
  const std::string_view request(request_json, request_size);
#ifdef __cpp_exceptions
  // What is thrown on this path is bad_alloc and length_error; nothing was judged then.
  try {
    return verify(request, answer_json, answer_size);
  } catch (...) {
    return EML_NO_MEMORY;
  }
#else
  return verify(request, answer_json, answer_size);  // WebAssembly: exhausted memory is a trap
#endif
}
