#include "attestation/nvidia/spdm.h"

#include <algorithm>
#include <array>

#include "encoding/reader.h"

namespace eml {
namespace {

constexpr std::size_t kSignatureSize = 96;
constexpr std::uint8_t kDmtfSpecification = 1;
constexpr std::uint8_t kRawBitStream = 0x80;  // in DMTFSpecMeasurementValueType: not a digest
constexpr std::size_t kBlockSize = 51;
constexpr std::uint8_t kNvdecDisabled = 0x55;
constexpr std::size_t kOpaqueEntriesMax = 64;  // 18 in genuine reports
constexpr std::array<std::uint8_t, 4> kRequestHeader{0x11, 0xe0, 0x01, 0xff};
constexpr std::array<std::uint8_t, 2> kResponseHeader{0x11, 0x60};

std::unexpected<Error> bad(Literal what, std::size_t offset) { return fail(kNvidiaParse, what, offset); }

Result<std::size_t> u24_le(Reader& in) {
  EML_TRY(const std::uint16_t low, in.u16_le());
  EML_TRY(const std::uint8_t high, in.u8());
  return low | (std::size_t{high} << 16);
}

Status read_block(Reader& in, GpuMeasurements& out) {
  const std::size_t at = in.offset();
  EML_TRY(const std::uint8_t number, in.u8());
  EML_TRY(const std::uint8_t specification, in.u8());
  EML_TRY(const std::uint16_t size, in.u16_le());
  if (number == 0 || specification != kDmtfSpecification || size != kBlockSize) return bad("a measurement block", at);
  EML_TRY(const std::uint8_t type, in.u8());
  EML_TRY(const std::uint16_t value_size, in.u16_le());
  if ((type & kRawBitStream) != 0 || value_size != 48) return bad("a measurement's value", at);
  EML_TRY(const Hash48 value, in.array<48>());
  if (!out.emplace(number - 1U, value).second) return bad("a block's number twice", at);
  return {};
}

Result<GpuMeasurements> read_record(Reader& in) {
  const std::size_t at = in.offset();
  EML_TRY(const std::uint8_t count, in.u8());
  EML_TRY(const std::size_t size, u24_le(in));
  if (count == 0) return bad("no measurement blocks", at);
  EML_TRY(Reader record, in.sub_reader(size));
  GpuMeasurements out;
  for (unsigned i = 0; i < count; ++i) EML_CHECK(read_block(record, out));
  if (record.remaining() != 0) return bad("the measurement record is longer than its blocks", at);
  return out;
}

}  // namespace

Result<UnverifiedGpuReport> UnverifiedGpuReport::decode(ByteView evidence) {
  if (evidence.size() > kGpuReportBytesMax) return bad("more than 128 KiB", kGpuReportBytesMax);
  UnverifiedGpuReport out;
  Reader in(evidence);
  const auto read = [&]() -> Status {
    EML_TRY(const ByteView request, in.bytes(kRequestHeader.size()));
    EML_TRY(out.nonce_, in.array<32>());
    EML_CHECK(in.u8());  // slot
    EML_TRY(const ByteView response, in.bytes(kResponseHeader.size()));
    out.expected_header_ = equal(request, kRequestHeader) && equal(response, kResponseHeader);
    EML_CHECK(in.bytes(2));  // parameters of the response
    EML_TRY(out.measurements_, read_record(in));
    EML_CHECK(in.bytes(32));  // the device's nonce
    EML_TRY(const std::uint16_t opaque_size, in.u16_le());
    const std::size_t base = in.offset();
    EML_TRY(Reader opaque, in.sub_reader(opaque_size));
    while (opaque.remaining() != 0) {
      const std::size_t at = base + opaque.offset();
      EML_TRY(const std::uint16_t type, opaque.u16_le());
      EML_TRY(const std::uint16_t size, opaque.u16_le());
      EML_CHECK(opaque.bytes(size));
      if (out.opaque_.size() == kOpaqueEntriesMax) return bad("too many opaque fields", at);
      const Span span{.offset = at + 4, .size = size};
      if (!out.opaque_.emplace(type, span).second) return bad("an opaque field twice", at);
    }
    out.signed_size_ = in.offset();
    EML_CHECK(in.bytes(kSignatureSize));
    return {};
  };
  if (const Status status = read(); !status) return bad("not a request and response of SPDM", in.offset());
  if (in.remaining() != 0) return fail(kNvidiaTrailingData, "bytes follow the signature", in.offset());
  out.bytes_ = to_bytes(evidence);
  return out;
}

std::optional<ByteView> UnverifiedGpuReport::opaque(OpaqueType type) const {
  const auto found = opaque_.find(static_cast<std::uint16_t>(type));
  if (found == opaque_.end()) return std::nullopt;
  return ByteView(bytes_).subspan(found->second.offset, found->second.size);
}

std::string UnverifiedGpuReport::opaque_text(OpaqueType type) const {
  const auto value = opaque(type);
  if (!value) return {};
  const std::string_view text = as_text(*value);
  const std::string_view before_nul = text.substr(0, text.find('\0'));
  const bool printable = std::ranges::all_of(before_nul, [](char c) { return c >= 0x20 && c <= 0x7e; });
  return printable ? std::string(before_nul) : std::string();
}

// Of GPUs: the eight bytes reversed are sixteen digits h; h[8:16] and h[6:8], two by two.
std::string UnverifiedGpuReport::vbios_version() const {
  const auto value = opaque(OpaqueType::kVbiosVersion);
  if (!value) return {};
  if (value->size() != 8) return opaque_text(OpaqueType::kVbiosVersion);
  const Bytes reversed(value->rbegin(), value->rend());
  std::string out;
  for (const std::size_t i : {4U, 5U, 6U, 7U, 3U}) {
    if (!out.empty()) out += '.';
    for (const char c : hex(ByteView(reversed).subspan(i, 1))) {
      out += static_cast<char>(c >= 'a' && c <= 'f' ? c - 'a' + 'A' : c);
    }
  }
  return out;
}

bool UnverifiedGpuReport::nvdec0_disabled() const {
  const auto value = opaque(OpaqueType::kNvdec0Status);
  return value && value->size() == 1 && (*value)[0] == kNvdecDisabled;
}

}  // namespace eml
