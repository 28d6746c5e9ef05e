#pragma once

#include "engine/kernels/profile.h"

namespace eml::kernels {

// self_check runs every operation of `table` on fixed inputs of awkward sizes and compares the result with the scalar
// table's, bit for bit. Takes about a millisecond: run at every load, so that a processor or a compiler that computes
// otherwise is never used.
bool self_check(const KernelTable& table);

// The same of a profile: its rows' table and its own operations.
bool self_check(const Profile& profile);

}  // namespace eml::kernels
