// Result<T> is how every function that can fail because of the world says so.
//
// An Error is a code, a string literal and up to two integers. It never holds bytes of a request, a key or a
// prompt, so any error may be logged. Codes are constants that belong to the module that raises them:
//
//     inline constexpr ErrorCode kCborDuplicateKey{ErrorClass::kMalformed, "cbor-duplicate-key"};
//     return fail(kCborDuplicateKey, "a map holds the same key twice", offset);
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace eml {

// ErrorClass says who must act. Exit codes and HTTP statuses are functions of it alone (exit_code below,
// http_status in api/status.h).
enum class ErrorClass : std::uint8_t {
  kMalformed,    // the bytes are not what their format says
  kUnsupported,  // well formed, but a version, algorithm or feature that we do not have
  kUnauthentic,  // cryptography says no: signature, tag, hash, chain
  kRejected,     // genuine, but a policy says no
  kLimit,        // a stated bound was reached
  kUnavailable,  // the world is not ready: file, network, device, peer
  kInternal,     // our own mistake
};

// to_string returns the class as one lower-case word: "malformed", "unsupported", ...
std::string_view to_string(ErrorClass error_class);

// exit_code is the process's exit status for a verdict-like command: 1 when something was judged and is not
// acceptable (Unauthentic, Rejected), 2 when it could not be judged.
int exit_code(ErrorClass error_class);

// ErrorCode is one named way to fail. `name` is kebab-case, unique in the program and stable: tests, logs and
// JSON output use it.
struct ErrorCode {
  ErrorClass error_class;
  std::string_view name;
  friend constexpr bool operator==(const ErrorCode& a, const ErrorCode& b) { return a.name == b.name; }
};

// Literal is a string that existed at compile time; nothing computed at run time converts to it.
class Literal {
 public:
  template <std::size_t n>
  consteval Literal(const char (&text)[n]) : text_(text, n - 1) {}  // NOLINT(google-explicit-constructor)
  constexpr std::string_view view() const { return text_; }

 private:
  std::string_view text_;
};

// Error is copyable and cheap. The two integers are, by convention, an offset, or expected and got.
class Error {
 public:
  constexpr Error(const ErrorCode& code, Literal what, std::uint64_t a = kNone, std::uint64_t b = kNone)
      : code_(code), what_(what), a_(a), b_(b) {}

  constexpr const ErrorCode& code() const { return code_; }
  constexpr ErrorClass error_class() const { return code_.error_class; }
  constexpr std::string_view what() const { return what_.view(); }
  constexpr bool has_first() const { return a_ != kNone; }
  constexpr bool has_second() const { return b_ != kNone; }
  constexpr std::uint64_t first() const { return a_; }
  constexpr std::uint64_t second() const { return b_; }

  // to_string gives one line: "cbor-duplicate-key: a map holds the same key twice (17)".
  std::string to_string() const;

 private:
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};  // no offset or size of ours reaches 2^64 - 1
  ErrorCode code_;
  Literal what_;
  std::uint64_t a_;
  std::uint64_t b_;
};

template <typename T>
using Result = std::expected<T, Error>;

// Status is the result of an action that returns nothing.
using Status = Result<void>;

// fail makes the error branch of any Result.
constexpr std::unexpected<Error> fail(const ErrorCode& code, Literal what, std::uint64_t a = ~std::uint64_t{0},
                                      std::uint64_t b = ~std::uint64_t{0}) {
  return std::unexpected<Error>(Error(code, what, a, b));
}

inline constexpr ErrorCode kInternalError{ErrorClass::kInternal, "internal"};

}  // namespace eml

#define EML_CONCAT_INNER(a, b) a##b
#define EML_CONCAT(a, b) EML_CONCAT_INNER(a, b)

// EML_TRY(auto x, expression) evaluates a Result, returns its error from the enclosing function, or declares x
// with its value. EML_CHECK(expression) is the same for a Status (or when the value is not wanted).
#define EML_TRY(declaration, ...) EML_TRY_INNER(EML_CONCAT(eml_result_, __LINE__), declaration, __VA_ARGS__)
#define EML_TRY_INNER(result, declaration, ...)                   \
  auto result = (__VA_ARGS__);                                    \
  if (!result) return std::unexpected(std::move(result).error()); \
  declaration = *std::move(result)

#define EML_CHECK(...)                                                                                       \
  do {                                                                                                       \
    if (auto eml_status = (__VA_ARGS__); !eml_status) return std::unexpected(std::move(eml_status).error()); \
  } while (false)
