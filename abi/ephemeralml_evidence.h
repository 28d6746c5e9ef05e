/* The C ABI of the evidence verifier: one function, JSON in, JSON out. It has no clock, no network, no file and no
 * thread of its own; what it needs is in the request. The same library is built for WebAssembly (tools/wasm).
 *
 * Request (UTF-8, one JSON object; binary members are padded base64 of RFC 4648; a member that is not listed is
 * refused):
 *
 *   kind        "tdx", "sevsnp", "nitro", "confidential_space", "tpm" or "nvidia"
 *   evidence    base64
 *   collateral  object of base64 by the names of docs/spec/evidence/KIND.md; may be absent
 *   time        RFC 3339: the time to judge at; there is no default
 *   nonce       hex: what the evidence must have signed; may be absent
 *   policy      object of the kind's requirements; absent: the page's defaults
 *   root        base64 of a root (certificate, or key set) in place of the built-in ones; may be absent
 *
 * Answer: the document that `ephemeralml evidence verify --json` prints, on one line, in UTF-8. A request that could
 * not be read has "verdict": "not judged" with "error" and "message". Read "verdict", not "error" alone: evidence
 * verified under a root that the caller gave is never "valid".
 */
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The exit statuses of `ephemeralml evidence verify`, and one more. */
enum {
  EML_ACCEPTED = 0,   /* genuine and acceptable, under the root that the answer names */
  EML_REFUSED = 1,    /* judged, and not genuine or not acceptable */
  EML_NOT_JUDGED = 2, /* the request or the evidence is not what its format says */
  EML_NO_MEMORY = 3   /* nothing was judged; there is no answer */
};

/* eml_evidence_verify judges one piece of evidence. `request_json` is read only during the call; it need not end with a
 * zero byte. On return *answer_json is a buffer of *answer_size bytes with a zero byte after them, which the caller
 * owns and gives to eml_free; with EML_NO_MEMORY it is NULL. No pointer may be NULL but request_json of size 0. No
 * exception leaves it; it may be called from several threads at once. */
int eml_evidence_verify(const char* request_json, size_t request_size, char** answer_json, size_t* answer_size);

/* eml_alloc gives `size` bytes, or NULL: for callers without an allocator of their own in this address space
 * (WebAssembly). eml_free takes them back, and answers too; NULL is allowed. */
void* eml_alloc(size_t size);
void eml_free(void* buffer);

#ifdef __cplusplus
}
#endif
