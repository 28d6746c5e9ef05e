// Whether this process may use the tiles of AMX.
#pragma once

namespace eml::kernels {

// amx_permitted is true if the processor has AMX for bfloat16 and bytes, the operating system saves its registers, and
// Linux granted this process their use (asked once; it may refuse, as under some sandboxes).
bool amx_permitted();

}  // namespace eml::kernels
