// fetch_file: one file over HTTP, into FILE.part until its SHA-256 is right.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "apps/ephemeralml/model_known.h"
#include "base/result.h"
#include "net/http.h"

namespace eml::cli {

inline constexpr ErrorCode kPullStatus{ErrorClass::kUnavailable, "pull-status"};
inline constexpr ErrorCode kPullRedirect{ErrorClass::kUnavailable, "pull-redirect"};
inline constexpr ErrorCode kPullNotResumable{ErrorClass::kUnavailable, "pull-not-resumable"};
inline constexpr ErrorCode kPullWrongBytes{ErrorClass::kUnauthentic, "pull-wrong-bytes"};

struct FetchOptions {
  std::chrono::milliseconds connect{10'000};
  std::function<void(std::uint64_t have)> progress;  // bytes in the file so far
};

// fetch_file brings `url` to `target`, which does not exist. Redirects are followed, five at most, and never from https
// to http. The bytes go to `target`.part; what an interrupted call left there is continued with a Range request, and
// a part that is of no use is begun anew. Only the right bytes get the name `target`; wrong ones are removed.
// Errors: kPullWrongBytes, kPullStatus (the HTTP status), kPullRedirect, kDiskFull (nothing is left),
// kFileUnwritable, those of http_call and parse_url (the part is left, to be continued).
Status fetch_file(const std::string& url, const KnownFile& file, const std::string& target,
                  const FetchOptions& options);

// resolve_location gives the absolute URL that a Location header means, seen from `url`.
std::string resolve_location(const std::string& url, std::string_view location);

}  // namespace eml::cli
