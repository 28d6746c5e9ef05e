// parse_pcr_index reads the name of a register in JSON: "0" to "31", without leading zeros.
#pragma once

#include <optional>
#include <string_view>

namespace eml {

std::optional<unsigned> parse_pcr_index(std::string_view text);

}  // namespace eml
