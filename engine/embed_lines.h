// embed_lines is `ephemeralml embed`: JSON lines in, JSON lines out, without a server.
#pragma once

#include <cstddef>
#include <iosfwd>

#include "base/result.h"
#include "engine/embedding_model.h"

namespace eml {

inline constexpr ErrorCode kEmbedLine{ErrorClass::kMalformed, "embed-line"};
inline constexpr ErrorCode kEmbedLineTooLong{ErrorClass::kLimit, "embed-line-too-long"};
inline constexpr ErrorCode kEmbedRead{ErrorClass::kUnavailable, "embed-read"};
inline constexpr ErrorCode kEmbedWrite{ErrorClass::kUnavailable, "embed-write"};

struct EmbedLinesOptions {
  unsigned threads = 1;
  std::size_t batch = 32;  // texts in one pass at most; the result does not depend on it
  bool ids_only = false;   // tokenize, and compute nothing
};

// A line longer than this is refused.
inline constexpr std::size_t kEmbedLineBytesMax = std::size_t{16} << 20;

// embed_lines reads {"text":...} a line (other members are ignored; the last line may lack its newline) and writes
// {"ids":[...],"embedding":[...]} a line (without the embedding if it was told so), in the same order; each number is
// the shortest that reads back to the same bits. Memory is bounded by a window of lines, whatever the length of the
// input. Errors: kEmbedLine, kEmbedLineTooLong, kTextNotUtf8 (the integer is the line's number, from 1; the lines
// before it have been written), kEmbedRead, kEmbedWrite; those of Encoder.
Status embed_lines(const EmbeddingModel& model, std::istream& in, std::ostream& out, const EmbedLinesOptions& options);

}  // namespace eml
