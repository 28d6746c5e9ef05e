// Properties: a report that decodes has its size and its zeros, keeps its signed bytes as they are, and says in JSON
// what stands at the places of the table; no key of ours signed it.
#include <boost/json/object.hpp>
#include <cstdlib>

#include "attestation/sevsnp/sevsnp.h"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

// The generator of P-384 (SEC 2, 2.5.1): a key whose private half nobody but everybody has; it signs nothing here.
const eml::PublicKey& generator() {
  static const eml::PublicKey key =
      eml::PublicKey::from_point(eml::KeyKind::kP384,
                                 *eml::from_hex("aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f2"
                                                "5dbf55296c3a545e3872760ab73617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a"
                                                "147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f"))
          .value();
  return key;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes(data, size);
  const auto decoded = eml::decode_snp_report(bytes);
  must(decoded.has_value() || size != eml::kSnpReportBytes || decoded.error().code() == eml::kSnpReserved);
  if (!decoded) return 0;
  must(size == eml::kSnpReportBytes && eml::equal(decoded->signed_bytes, bytes.first(eml::kSnpSignedBytes)));
  const eml::Json fields = eml::snp_report_fields(decoded->report);
  must(fields.at("report_data").as_string() == eml::hex(bytes.subspan(0x50, 64)));
  must(fields.at("launch_tcb").as_string() == eml::hex(bytes.subspan(0x1f0, 8)));
  must(!eml::verify_snp_signature(*decoded, generator()));
  return 0;
}
