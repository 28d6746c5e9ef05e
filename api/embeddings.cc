#include "api/embeddings.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>

#include "api/status.h"
#include "encoding/base64.h"

namespace eml {
namespace {

constexpr std::size_t kModelNameMax = 256;
constexpr std::size_t kNonceMin = 8;
constexpr std::size_t kNonceMax = 64;
constexpr std::size_t kSaltSize = 16;
constexpr std::size_t kFactMax = 128;

Status decode_inputs(const JsonObject& object, EmbeddingRequest& request) {
  const Json* input = object.if_contains("input");
  if (input == nullptr) return fail(kApiBadRequest, "the request has no input");
  if (const auto* text = input->if_string()) {
    request.inputs.emplace_back(text->data(), text->size());
    return {};
  }
  const auto* texts = input->if_array();
  if (texts == nullptr) return fail(kApiBadRequest, "input is neither a text nor an array of texts");
  if (texts->empty()) return fail(kApiBadRequest, "input is an empty array");
  if (texts->size() > kEmbeddingInputsMax) {
    static_assert(kEmbeddingInputsMax == 2048);  // the message says so
    return fail(kApiTooManyInputs, "input has more than the 2048 texts that one request may have", texts->size(),
                kEmbeddingInputsMax);
  }
  request.inputs.reserve(texts->size());
  for (const Json& item : *texts) {
    const auto* text = item.if_string();
    if (text == nullptr) return fail(kApiBadRequest, "input has an element that is not a text");
    request.inputs.emplace_back(text->data(), text->size());
  }
  return {};
}

Status decode_format(const JsonObject& object, EmbeddingRequest& request) {
  const Json* format = object.if_contains("encoding_format");
  if (format == nullptr) return {};
  if (*format == "float") {
    request.format = EmbeddingFormat::kFloat;
  } else if (*format == "base64") {
    request.format = EmbeddingFormat::kBase64;
  } else {
    return fail(kApiBadRequest, "encoding_format is neither float nor base64");
  }
  return {};
}

Status check_salt(const JsonObject& object) {
  const Json* eml = object.if_contains("eml");
  if (eml == nullptr) return {};
  const auto* members = eml->if_object();
  if (members == nullptr || members->size() != 1) return fail(kApiBadRequest, "eml is not an object with a salt alone");
  EML_TRY(const std::string_view text, json_text(*members, "salt"));
  const auto salt = from_base64url(text);
  if (!salt || salt->size() != kSaltSize) return fail(kApiBadRequest, "eml.salt is not 16 bytes of base64url");
  return {};
}

Status decode_nonce(const JsonObject& object, EmbeddingRequest& request) {
  const Json* nonce = object.if_contains("eml-nonce");
  if (nonce == nullptr) return {};
  const auto* text = nonce->if_string();
  if (text == nullptr) return fail(kApiBadRequest, "eml-nonce is not a text");
  auto bytes = from_base64url({text->data(), text->size()});
  if (!bytes || bytes->size() < kNonceMin || bytes->size() > kNonceMax) {
    return fail(kApiBadRequest, "eml-nonce is not 8 to 64 bytes of base64url");
  }
  request.nonce = std::move(*bytes);
  return {};
}

Status check_dimensions(const JsonObject& object, std::size_t dimensions) {
  if (!object.contains("dimensions")) return {};
  EML_TRY(const std::uint64_t wanted, json_uint(object, "dimensions"));
  if (wanted != dimensions) return fail(kApiBadRequest, "dimensions is not this model's own", wanted, dimensions);
  return {};
}

void append(UserText& out, std::string_view text) { out.append(as_bytes(text)); }

void append_number(UserText& out, float value) {
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  append(out, {buffer.data(), static_cast<std::size_t>(end - buffer.data())});
}

void append_number(UserText& out, std::uint64_t value) {
  std::array<char, 24> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  append(out, {buffer.data(), static_cast<std::size_t>(end - buffer.data())});
}

void append_json_text(UserText& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  append(out, "\"");
  std::size_t run = 0;  // start of the run that needs no escape
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    append(out, text.substr(run, i - run));
    run = i + 1;
    const char escape[] = {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
    append(out, {escape, sizeof escape});
  }
  append(out, text.substr(run));
  append(out, "\"");
}

// The wire's base64 form is the float32 values, little-endian, as OpenAI's own.
void append_base64_floats(UserText& out, std::span<const float> values) {
  WipingVector<std::uint8_t> bytes;
  bytes.reserve(values.size() * 4);
  for (const float value : values) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (unsigned shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<std::uint8_t>(bits >> shift));
  }
  std::string text = base64({bytes.data(), bytes.size()});
  append(out, "\"");
  append(out, text);
  append(out, "\"");
  wipe(text.data(), text.size());
}

void append_float_array(UserText& out, std::span<const float> values) {
  append(out, "[");
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i != 0) append(out, ",");
    append_number(out, values[i]);
  }
  append(out, "]");
}

Result<std::vector<float>> floats_from_base64(std::string_view text) {
  const auto bytes = from_base64(text);
  if (!bytes || bytes->size() % 4 != 0) return fail(kApiBadRequest, "an embedding is not base64 of 32-bit floats");
  std::vector<float> out;
  out.reserve(bytes->size() / 4);
  for (std::size_t i = 0; i < bytes->size(); i += 4) {
    std::uint32_t bits = 0;
    for (unsigned k = 0; k < 4; ++k) bits |= static_cast<std::uint32_t>((*bytes)[i + k]) << (8 * k);
    out.push_back(std::bit_cast<float>(bits));
  }
  return out;
}

Result<std::vector<float>> decode_embedding(const Json& value) {
  if (const auto* text = value.if_string()) return floats_from_base64({text->data(), text->size()});
  const auto* numbers = value.if_array();
  if (numbers == nullptr) return fail(kApiBadRequest, "an embedding is neither an array nor base64");
  std::vector<float> out;
  out.reserve(numbers->size());
  for (const Json& number : *numbers) {
    // Shortest float32 text read as double and rounded again gives the same float32.
    boost::system::error_code error;
    const auto as_double = number.to_number<double>(error);
    if (error) return fail(kApiBadRequest, "an embedding has an element that is not a number");
    const auto single = static_cast<float>(as_double);
    if (!std::isfinite(single)) return fail(kApiBadRequest, "an embedding has an element that is no float");
    out.push_back(single);
  }
  return out;
}

// A fact is a name that clients print: nothing in it may move a cursor.
Result<std::string_view> fact(const JsonObject& object, std::string_view member) {
  EML_TRY(const std::string_view text, json_text(object, member));
  const bool printable = std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  if (text.empty() || text.size() > kFactMax || !printable) {
    return fail(kApiBadRequest, "what the response says of its engine is not a name");
  }
  return text;
}

Status decode_data(const JsonObject& object, EmbeddingAnswer& answer) {
  EML_TRY(const JsonArray* data, json_array(object, "data"));
  answer.embeddings.reserve(data->size());
  for (std::size_t i = 0; i < data->size(); ++i) {
    const auto* item = (*data)[i].if_object();
    if (item == nullptr) return fail(kApiBadRequest, "data has an element that is not an object", i);
    EML_TRY(const std::uint64_t index, json_uint(*item, "index"));
    if (index != i) return fail(kApiBadRequest, "the embeddings are out of order", index, i);
    const Json* embedding = item->if_contains("embedding");
    if (embedding == nullptr) return fail(kApiBadRequest, "data has an element without an embedding", i);
    EML_TRY(auto values, decode_embedding(*embedding));
    answer.embeddings.push_back(std::move(values));
  }
  return {};
}

}  // namespace

Result<EmbeddingRequest> decode_embedding_request(ByteView body, boost::json::storage_ptr storage,
                                                  std::size_t dimensions, std::size_t body_bytes_max) {
  EML_TRY(Json document, parse_json(body, {.bytes_max = body_bytes_max, .depth_max = 8}, std::move(storage)));
  // Moved on construction: assigning to a default value would copy it out of the wiping storage.
  EmbeddingRequest request{.document = std::move(document), .model = {}, .inputs = {}, .nonce = {}};
  const auto* object = request.document.if_object();
  if (object == nullptr) return fail(kApiBadRequest, "the request is not a JSON object");
  if (!expect_members(*object, {"model", "input", "encoding_format", "dimensions", "user", "eml-nonce", "eml"})) {
    return fail(kApiBadRequest, "the request has a member that this API does not know");
  }
  EML_TRY(const std::string_view model, json_text(*object, "model"));
  if (model.size() > kModelNameMax) return fail(kApiUnknownModel, "no such model");
  request.model = std::string(model);
  EML_CHECK(decode_inputs(*object, request));
  EML_CHECK(decode_format(*object, request));
  EML_CHECK(check_dimensions(*object, dimensions));
  EML_CHECK(check_salt(*object));
  EML_CHECK(decode_nonce(*object, request));
  return request;
}

UserText encode_embedding_request(const EmbeddingAsk& ask) {
  std::size_t size = 256;
  for (const std::string_view input : ask.inputs) size += input.size() + input.size() / 8 + 4;
  UserText out;
  out.reserve(size);
  append(out, "{\"model\":");
  append_json_text(out, ask.model);
  append(out, ",\"input\":");
  if (ask.inputs.size() == 1) {
    append_json_text(out, ask.inputs[0]);
  } else {
    append(out, "[");
    for (std::size_t i = 0; i < ask.inputs.size(); ++i) {
      if (i != 0) append(out, ",");
      append_json_text(out, ask.inputs[i]);
    }
    append(out, "]");
  }
  append(out,
         ask.format == EmbeddingFormat::kBase64 ? ",\"encoding_format\":\"base64\"" : ",\"encoding_format\":\"float\"");
  if (ask.nonce) {
    append(out, ",\"eml-nonce\":\"");
    append(out, base64url(*ask.nonce));
    append(out, "\"");
  }
  append(out, ",\"eml\":{\"salt\":\"");
  append(out, base64url(ask.salt));
  append(out, "\"}}");
  return out;
}

UserText encode_embedding_response(std::string_view model, std::span<const float> embeddings, std::size_t dimensions,
                                   EmbeddingFormat format, std::uint64_t prompt_tokens, const ByteArray<16>& salt,
                                   const EngineFacts& facts) {
  UserText out;
  out.reserve(embeddings.size() * (format == EmbeddingFormat::kBase64 ? 6 : 16) + 1024);
  append(out, "{\"object\":\"list\",\"data\":[");
  const std::size_t rows = dimensions == 0 ? 0 : embeddings.size() / dimensions;
  for (std::size_t row = 0; row < rows; ++row) {
    append(out, row == 0 ? "{\"object\":\"embedding\",\"index\":" : ",{\"object\":\"embedding\",\"index\":");
    append_number(out, std::uint64_t{row});
    append(out, ",\"embedding\":");
    const auto values = embeddings.subspan(row * dimensions, dimensions);
    if (format == EmbeddingFormat::kBase64) {
      append_base64_floats(out, values);
    } else {
      append_float_array(out, values);
    }
    append(out, "}");
  }
  append(out, "],\"model\":");
  append_json_text(out, model);
  append(out, ",\"usage\":{\"prompt_tokens\":");
  append_number(out, prompt_tokens);
  append(out, ",\"total_tokens\":");
  append_number(out, prompt_tokens);
  append(out, "},\"eml\":{\"salt\":\"");
  append(out, base64url(salt));
  append(out, "\",\"engine\":");
  append_json_text(out, facts.engine);
  append(out, ",\"kernels\":");
  append_json_text(out, facts.kernels);
  append(out, ",\"numerics\":");
  append_json_text(out, facts.numerics);
  append(out, ",\"seed\":null}}");
  return out;
}

Result<EmbeddingAnswer> decode_embedding_response(ByteView body, boost::json::storage_ptr storage) {
  constexpr std::size_t kResponseMax = 64U << 20;  // the channel's own bound on a response
  EML_TRY(const Json document, parse_json(body, {.bytes_max = kResponseMax, .depth_max = 8}, std::move(storage)));
  const auto* object = document.if_object();
  if (object == nullptr) return fail(kApiBadRequest, "the response is not a JSON object");
  EmbeddingAnswer answer;
  EML_TRY(const std::string_view model, json_text(*object, "model"));
  answer.model = std::string(model);
  EML_CHECK(decode_data(*object, answer));
  EML_TRY(const JsonObject* usage, json_object(*object, "usage"));
  EML_TRY(answer.prompt_tokens, json_uint(*usage, "prompt_tokens"));
  EML_TRY(const JsonObject* eml, json_object(*object, "eml"));
  EML_TRY(const std::string_view engine, fact(*eml, "engine"));
  EML_TRY(const std::string_view kernels, fact(*eml, "kernels"));
  EML_TRY(const std::string_view numerics, fact(*eml, "numerics"));
  answer.facts = {std::string(engine), std::string(kernels), std::string(numerics)};
  return answer;
}

}  // namespace eml
