#include "channel/control.h"

#include "encoding/reader.h"

namespace eml {
namespace {

Result<std::uint16_t> only_u16(ByteView payload) {
  Reader in(payload);
  EML_TRY(const std::uint16_t value, in.u16());
  EML_CHECK(in.expect_end());
  return value;
}

std::unexpected<Error> protocol(Literal what, const RecordView& record) {
  return fail(kChannelProtocol, what, record.stream, record.payload.size());
}

}  // namespace

Result<ResetCode> decode_reset(const RecordView& record) {
  const Result<std::uint16_t> code = only_u16(record.payload);
  if (record.stream == 0 || !code || *code < 1 || *code > 4)
    return protocol("a RESET is not what its format says", record);
  return static_cast<ResetCode>(*code);
}

Result<CloseCode> decode_close(const RecordView& record) {
  const Result<std::uint16_t> code = only_u16(record.payload);
  if (record.stream != 0 || !code || *code > 3) return protocol("a CLOSE is not what its format says", record);
  return static_cast<CloseCode>(*code);
}

Result<StreamId> decode_goaway(const RecordView& record) {
  Reader in(record.payload);
  const Result<std::uint32_t> last = in.u32();
  if (record.stream != 0 || !last || !in.expect_end()) return protocol("a GOAWAY is not what its format says", record);
  return *last;
}

Status check_ping(const RecordView& record) {
  if (record.stream != 0 || record.payload.size() != 8) return protocol("a PING is not what its format says", record);
  return {};
}

std::optional<CloseCode> close_code_for(const Error& error) {
  const ErrorCode& code = error.code();
  if (code == kRecordUnauthentic || code == kRecordSequenceExhausted) return std::nullopt;
  if (error.error_class() == ErrorClass::kInternal) return CloseCode::kInternal;
  return error.error_class() == ErrorClass::kLimit ? CloseCode::kLimit : CloseCode::kProtocol;
}

}  // namespace eml
