#pragma once

#include <cstdint>
#include <span>

#include "base/user_text.h"

namespace eml {

// TokenId is an index into the vocabulary. The ids of a text are user text: they can be turned back into it.
using TokenId = std::uint32_t;
using TokenIds = WipingVector<TokenId>;
using TokenSpan = std::span<const TokenId>;

}  // namespace eml
