// Letters and section numbers are those of RFC 9292; variable-length integers are those of RFC 9000, section 16.
#include "encoding/bhttp.h"

#include <algorithm>

#include "encoding/reader.h"

namespace eml {
namespace {

constexpr std::uint64_t kKnownRequest = 0;
constexpr std::uint64_t kKnownResponse = 1;
constexpr std::uint64_t kIndeterminateRequest = 2;
constexpr std::uint64_t kIndeterminateResponse = 3;

std::unexpected<Error> malformed(Literal what, std::size_t offset) { return fail(kBhttpMalformed, what, offset); }

// RFC 9110, 5.6.2, without capitals.
bool is_name_character(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || kMarks.find(c) != std::string_view::npos;
}

bool is_token_character(char c) { return is_name_character(c) || (c >= 'A' && c <= 'Z'); }
bool is_visible(char c) { return c > 0x20 && c < 0x7f; }

bool is_field_value(std::string_view value) {
  if (value.starts_with(' ') || value.ends_with(' ')) return false;
  return std::ranges::all_of(value, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7f;
  });
}

class Decoder {
 public:
  explicit Decoder(ByteView bytes) : in_(bytes) {}

  Status framing(std::uint64_t known, std::uint64_t indeterminate) {
    EML_TRY(const std::uint64_t indicator, varint(in_));
    if (indicator > kIndeterminateResponse) return fail(kBhttpUnsupported, "an unknown framing indicator", 0);
    if (indicator != known && indicator != indeterminate)
      return malformed("a request where a response belongs, or the reverse", 0);
    indeterminate_ = indicator == indeterminate;
    return {};
  }

  Result<std::uint16_t> status() {
    const std::size_t at = in_.offset();
    EML_TRY(const std::uint64_t status, varint(in_));
    if (status >= 100 && status <= 199) return fail(kBhttpUnsupported, "an informational response", at);
    if (status < 200 || status > 599) return malformed("not a status code", at);
    return static_cast<std::uint16_t>(status);
  }

  Result<std::string> control(bool (*allowed)(char)) {
    const std::size_t at = in_.offset();
    EML_TRY(const std::string_view text, string(in_));
    if (!std::ranges::all_of(text, allowed)) return malformed("a character that does not belong into control data", at);
    return std::string(text);
  }

  Result<std::vector<HttpField>> fields() {
    std::vector<HttpField> out;
    if (!indeterminate_) {
      EML_TRY(Reader section, sub_section());
      while (section.remaining() != 0) EML_CHECK(field(section, out));
      return out;
    }
    while (true) {
      Reader ahead = in_;
      EML_TRY(const std::uint64_t name_length, varint(ahead));
      if (name_length == 0) {
        in_ = ahead;
        return out;
      }
      EML_CHECK(field(in_, out));
    }
  }

  Result<UserText> content() {
    if (!indeterminate_) {
      EML_TRY(const ByteView bytes, prefixed(in_));
      return UserText(bytes);
    }
    UserText out;
    out.reserve(in_.remaining());
    while (true) {
      EML_TRY(const ByteView chunk, prefixed(in_));
      if (chunk.empty()) return out;
      out.append(chunk);
    }
  }

  // The trailers, which must be empty, and the end, without padding.
  Status end() {
    const std::size_t at = in_.offset();
    EML_TRY(const std::uint64_t length, varint(in_));
    if (length != 0) return fail(kBhttpUnsupported, "trailers", at);
    if (in_.remaining() != 0) return malformed("bytes or padding follow the message", in_.offset());
    return {};
  }

 private:
  static std::unexpected<Error> truncated(const Reader& in) {
    return malformed("the message is cut short", in.offset());
  }

  static Result<std::uint64_t> varint(Reader& in) {
    if (in.remaining() == 0) return truncated(in);
    EML_TRY(const std::uint8_t first, in.u8());
    const std::size_t more = (std::size_t{1} << (first >> 6)) - 1;
    if (in.remaining() < more) return truncated(in);
    EML_TRY(const ByteView rest, in.bytes(more));
    std::uint64_t value = first & 0x3fU;
    for (const std::uint8_t b : rest) value = (value << 8) | b;
    return value;
  }

  static Result<ByteView> prefixed(Reader& in) {
    EML_TRY(const std::uint64_t length, varint(in));
    if (length > in.remaining()) return truncated(in);
    return in.bytes(static_cast<std::size_t>(length));
  }

  // A name, a value or a part of the control data: all of them count against one limit.
  Result<std::string_view> string(Reader& in) {
    const std::size_t at = in.offset();
    EML_TRY(const ByteView bytes, prefixed(in));
    if (bytes.size() > kBhttpFieldBytesMax - string_bytes_) {
      return fail(kBhttpLimit, "control data and fields are too large", at);
    }
    string_bytes_ += bytes.size();
    return as_text(bytes);
  }

  Result<Reader> sub_section() {
    const std::size_t at = in_.offset();
    EML_TRY(const ByteView bytes, prefixed(in_));
    // Two length prefixes a field come on top of what `string` counts.
    if (bytes.size() > kBhttpFieldBytesMax + kBhttpFieldsMax * 16) {
      return fail(kBhttpLimit, "the field section is too large", at);
    }
    return Reader(bytes);
  }

  Status field(Reader& in, std::vector<HttpField>& out) {
    const std::size_t at = in.offset();
    if (out.size() == kBhttpFieldsMax) return fail(kBhttpLimit, "too many fields", at);
    EML_TRY(const std::string_view name, string(in));
    EML_TRY(const std::string_view value, string(in));
    if (name.empty() || !std::ranges::all_of(name, is_name_character)) {
      return malformed("a field name is not a lower-case token", at);
    }
    if (!is_field_value(value)) return malformed("a field value holds a control character or outer space", at);
    if (name == "content-encoding") return fail(kBhttpUnsupported, "content-encoding", at);
    out.push_back({.name = std::string(name), .value = std::string(value)});
    return {};
  }

  Reader in_;
  bool indeterminate_ = false;
  std::size_t string_bytes_ = 0;
};

class Encoder {
 public:
  explicit Encoder(std::size_t size_hint) { out_.reserve(size_hint); }

  void varint(std::uint64_t value) {
    const unsigned log = value < 0x40 ? 0 : value < 0x4000 ? 1 : value < 0x40000000 ? 2 : 3;
    const std::size_t size = std::size_t{1} << log;
    ByteArray<8> bytes;
    for (std::size_t i = 0; i < size; ++i) bytes[size - 1 - i] = static_cast<std::uint8_t>(value >> (8 * i));
    bytes[0] = static_cast<std::uint8_t>(bytes[0] | (log << 6));
    out_.append(ByteView(bytes).first(size));
  }

  void string(ByteView bytes) {
    varint(bytes.size());
    out_.append(bytes);
  }

  void fields(const std::vector<HttpField>& fields) {
    std::size_t size = 0;
    for (const HttpField& field : fields) size += prefixed_size(field.name.size()) + prefixed_size(field.value.size());
    varint(size);
    for (const HttpField& field : fields) {
      string(as_bytes(field.name));
      string(as_bytes(field.value));
    }
  }

  UserText finish(const UserText& content) {
    string(content.bytes());
    varint(0);  // no trailers
    return std::move(out_);
  }

 private:
  static std::size_t prefixed_size(std::size_t n) {
    return n + (n < 0x40 ? 1U : n < 0x4000 ? 2U : n < 0x40000000 ? 4U : 8U);
  }

  UserText out_;
};

// Enough for what precedes the content, so that one allocation does.
constexpr std::size_t kHeadHint = 1024;

}  // namespace

std::string_view field(const std::vector<HttpField>& fields, std::string_view name) {
  const HttpField* found = nullptr;
  for (const HttpField& field : fields) {
    if (field.name != name) continue;
    if (found != nullptr) return {};
    found = &field;
  }
  return found == nullptr ? std::string_view() : std::string_view(found->value);
}

UserText encode_request(const HttpRequest& request) {
  Encoder out(kHeadHint + request.content.size());
  out.varint(kKnownRequest);
  out.string(as_bytes(request.method));
  out.string(as_bytes(request.scheme));
  out.string(as_bytes(request.authority));
  out.string(as_bytes(request.path));
  out.fields(request.fields);
  return out.finish(request.content);
}

UserText encode_response(const HttpResponse& response) {
  Encoder out(kHeadHint + response.content.size());
  out.varint(kKnownResponse);
  out.varint(response.status);
  out.fields(response.fields);
  return out.finish(response.content);
}

Result<HttpRequest> decode_request(ByteView bytes) {
  Decoder in(bytes);
  HttpRequest request;
  EML_CHECK(in.framing(kKnownRequest, kIndeterminateRequest));
  EML_TRY(request.method, in.control(is_token_character));
  EML_TRY(request.scheme, in.control(is_name_character));
  EML_TRY(request.authority, in.control(is_visible));
  EML_TRY(request.path, in.control(is_visible));
  if (request.method.empty() || request.scheme.empty()) return malformed("no method or no scheme", 0);
  if (!request.path.starts_with('/')) return malformed("the path does not begin with a slash", 0);
  EML_TRY(request.fields, in.fields());
  EML_TRY(request.content, in.content());
  EML_CHECK(in.end());
  return request;
}

Result<HttpResponse> decode_response(ByteView bytes) {
  Decoder in(bytes);
  HttpResponse response;
  EML_CHECK(in.framing(kKnownResponse, kIndeterminateResponse));
  EML_TRY(response.status, in.status());
  EML_TRY(response.fields, in.fields());
  EML_TRY(response.content, in.content());
  EML_CHECK(in.end());
  return response;
}

}  // namespace eml
