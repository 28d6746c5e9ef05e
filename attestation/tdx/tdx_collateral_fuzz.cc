// Properties: the signed bytes of what decodes stand in the document and are a JSON object themselves; levels are
// sorted and without twins. The same input is tried as both documents.
#include <algorithm>
#include <cstdlib>

#include "attestation/tdx/collateral.h"
#include "encoding/json.h"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

void must_be_signed(const eml::tdx::SignedText& text, eml::ByteView document) {
  must(text.signature.size() == 64);
  must(!std::ranges::search(document, text.signed_bytes).empty());
  const auto body = eml::parse_json(text.signed_bytes);
  must(body.has_value() && body->is_object());
}

void must_be_sorted(const std::vector<eml::tdx::SvnLevel>& levels) {
  must(!levels.empty());
  for (std::size_t i = 1; i < levels.size(); ++i) must(levels[i - 1].isvsvn > levels[i].isvsvn);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes(data, size);
  if (const auto info = eml::tdx::decode_tcb_info(bytes)) {
    must_be_signed(info->text, bytes);
    must(!info->levels.empty());
    must(info->module.has_value() == (info->id == eml::tdx::TcbInfoId::kTdx));
    for (const auto& identity : info->identities) must_be_sorted(identity.levels);
  }
  if (const auto identity = eml::tdx::decode_qe_identity(bytes)) {
    must_be_signed(identity->text, bytes);
    must_be_sorted(identity->levels);
  }
  return 0;
}
