// Rendering of a verdict for people and for machines. Nothing of a body is ever shown.
#pragma once

#include <cstdint>
#include <string>

#include "audit/verify_dossier.h"

namespace eml {

enum class Colour : std::uint8_t { kNone, kAnsi };

// render_text gives first one line that a tired person understands, then one line per check: outcome, title, who
// vouches, and why it failed or was not checked. Green is used for passed lines and for kVerified only.
std::string render_text(const DossierVerdict& verdict, Colour colour);

// render_json gives one JSON document with a final newline:
//   {"verdict","exit_code","summary","assurance","evaluation","receipt":{...}|null,"evidence":{...}|null,
//    "checks":[{"id","title","outcome","required","voucher","detail","error","air_code"}]}
std::string render_json(const DossierVerdict& verdict);

}  // namespace eml
