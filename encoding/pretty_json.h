// pretty_json writes JSON for a person to read and edit: members in their order, one a line, indented by two spaces, a
// line feed at the end. Objects and arrays that fit into 100 columns stay on one line.
#pragma once

#include <string>

#include "encoding/json.h"

namespace eml {

std::string pretty_json(const Json& value);

}  // namespace eml
