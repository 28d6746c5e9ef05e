// The list of values beside a quote, and step 6 of docs/spec/evidence/tpm.md.
#include <array>
#include <boost/json/object.hpp>
#include <charconv>

#include "attestation/tpm/pcr_index.h"
#include "attestation/tpm/tpm.h"

namespace eml {
namespace {

constexpr std::array kHashes{kTpmSha1, kTpmSha256, kTpmSha384, kTpmSha512};
constexpr unsigned kPcrMax = 31;

std::unexpected<Error> malformed(Literal what) { return fail(kTpmPcrsParse, what); }

std::optional<std::uint16_t> hash_named(std::string_view name) {
  for (const std::uint16_t id : kHashes) {
    if (tpm_hash_name(id) == name) return id;
  }
  return std::nullopt;
}

Result<const PcrSelection*> only_selection(const TpmQuote& quote) {
  const PcrSelection* found = nullptr;
  for (const PcrSelection& each : quote.pcr_select) {
    if (each.pcrs.empty()) continue;
    if (found != nullptr) return fail(kTpmPcrSelection, "the quote is of more than one bank");
    found = &each;
  }
  if (found == nullptr) return fail(kTpmPcrSelection, "the quote selects no register");
  return found;
}

}  // namespace

std::optional<unsigned> parse_pcr_index(std::string_view text) {
  unsigned index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  const bool canonical = !text.empty() && (text == "0" || text.front() != '0');
  if (error != std::errc() || end != text.data() + text.size() || !canonical || index > kPcrMax) return std::nullopt;
  return index;
}

Result<PcrBank> decode_pcr_bank(ByteView json) {
  const auto parsed = parse_json(json);
  const JsonObject* const object = parsed ? parsed->if_object() : nullptr;
  if (object == nullptr || !expect_members(*object, {"hash", "pcrs"})) return malformed("the PCR list is not one");
  const auto name = json_text(*object, "hash");
  const auto hash = name ? hash_named(*name) : std::nullopt;
  const auto pcrs = json_object(*object, "pcrs");
  if (!hash || !pcrs) return malformed("the PCR list lacks its hash or its values");
  PcrBank out{.hash = *hash, .pcrs = {}};
  for (const auto& [key, value] : **pcrs) {
    const auto index = parse_pcr_index(key);
    auto bytes = value.is_string() ? from_hex(value.get_string()) : std::nullopt;
    if (!index || !bytes || bytes->size() != tpm_hash_size(*hash)) return malformed("a PCR value is not one");
    out.pcrs.emplace(*index, *std::move(bytes));
  }
  return out;
}

Status expect_pcrs(const TpmQuote& quote, std::uint16_t signature_hash, const PcrBank& bank) {
  EML_TRY(const PcrSelection* const selection, only_selection(quote));
  if (selection->hash != bank.hash) {
    return fail(kTpmPcrBank, "the quote is of another bank than the list", selection->hash, bank.hash);
  }
  Bytes values;
  for (const unsigned pcr : selection->pcrs) {
    const auto found = bank.pcrs.find(pcr);
    if (found == bank.pcrs.end()) return fail(kTpmPcrDigest, "a quoted register is not in the list", pcr);
    values.insert(values.end(), found->second.begin(), found->second.end());
  }
  if (tpm_hash(signature_hash, {values}) == quote.pcr_digest) return {};
  return fail(kTpmPcrDigest, "the list's values are not the quoted ones");
}

}  // namespace eml
