#include "attester/confidential_space_attester.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "encoding/json.h"

namespace eml {
namespace {

constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string_view audience_of(Purpose purpose) { return purpose == Purpose::kServe ? "eml serve v1" : "eml release v1"; }

bool is_part(std::string_view text) {
  return !text.empty() && text.find_first_not_of(kBase64Url) == std::string_view::npos;
}

}  // namespace

std::string token_request(std::string_view audience, std::string_view nonce) {
  JsonObject body;
  body["audience"] = audience;
  body["token_type"] = "PKI";
  body["nonces"] = JsonArray{Json(nonce)};
  return compact_json(Json(std::move(body)));
}

bool is_compact_jws(std::string_view text) {
  const std::size_t first = text.find('.');
  const std::size_t last = text.rfind('.');
  if (first == std::string_view::npos || first == last) return false;
  return is_part(text.substr(0, first)) && is_part(text.substr(first + 1, last - first - 1)) &&
         is_part(text.substr(last + 1));
}

Result<std::unique_ptr<ConfidentialSpaceAttester>> ConfidentialSpaceAttester::open(ConfidentialSpaceConfig config) {
  struct stat info{};
  const int error = ::stat(config.socket.c_str(), &info) == 0 ? 0 : errno;
  if (error == ENOENT || error == ENOTDIR) {
    return fail(kAttesterNotHere, "there is no launcher of Confidential Space here (teeserver.sock)",
                static_cast<std::uint64_t>(error));
  }
  if (error != 0) {
    return fail(kAttesterDevice, "the launcher's socket cannot be seen", static_cast<std::uint64_t>(error));
  }
  if (!S_ISSOCK(info.st_mode)) {
    return fail(kAttesterNotHere, "there is no launcher of Confidential Space here: teeserver.sock is no socket");
  }
  return std::unique_ptr<ConfidentialSpaceAttester>(new ConfidentialSpaceAttester(std::move(config)));
}

Result<MadeEvidence> ConfidentialSpaceAttester::attest(const Binding& binding, ByteView binding_bytes) {
  EML_TRY(const Bytes nonce, value_to_sign(kind(), binding, binding_bytes));
  const HttpCall call{.method = "POST",
                      .target = "/v1/token",
                      .headers = {{"Content-Type", "application/json"}},
                      .body = to_bytes(token_request(audience_of(binding.purpose), as_text(nonce)))};
  EML_TRY(Bytes token, with_retries(config_.retry, [&] { return ask_once(call); }));
  return MadeEvidence{.evidence = std::move(token), .endorsements = {}};
}

Result<Bytes> ConfidentialSpaceAttester::ask_once(const HttpCall& call) const {
  auto reply = http_call_unix(config_.socket, call, config_.limits);
  if (!reply && reply.error().code() == kHttpTooLarge) {
    return fail(kAttesterAnswerTooLarge, "the launcher's answer is larger than any token");
  }
  if (!reply) return std::unexpected(reply.error());
  constexpr std::uint16_t kTooManyRequests = 429;  // Google's quota: 5 a second
  constexpr std::uint16_t kServerError = 500;
  if (reply->status == kTooManyRequests || reply->status >= kServerError) {
    return fail(kAttesterBusy, "the launcher had no token at any try; its status", reply->status);
  }
  if (reply->status != 200) return fail(kLauncherRefused, "the launcher refused to give a token", reply->status);
  if (!is_compact_jws(as_text(reply->body))) {
    return fail(kAttesterAnswer, "the launcher's answer is not a token in compact form");
  }
  return std::move(reply->body);
}

}  // namespace eml
