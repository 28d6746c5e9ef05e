// json_member_source finds the bytes of one member's value in the document that it came in, for signatures that cover
// the text as it was sent (Intel's collateral).
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace eml {

// json_member_source returns the value of the member `name` of the outermost object, as a view into `document`: from
// its first character to its last, without the white space around it.
//
// `document` must be one that parse_json accepted as an object; this function then finds the same member, since names
// are unique. A name that is written with escapes is not found (kJsonMissingMember), and of a document that is no JSON
// it finds something or nothing, but never reads outside.
Result<ByteView> json_member_source(ByteView document, std::string_view name);

}  // namespace eml
