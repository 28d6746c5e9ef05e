// EML_KERNELS and the options that name kernels.
#pragma once

#include <string>
#include <string_view>

namespace eml::cli {

// forced_kernels is EML_KERNELS, or empty.
std::string forced_kernels();

// expect_kernels returns kDone if this machine runs the kernels of that name, or if it is empty; else it says what the
// machine has and returns kFailed. `where` is the option or variable that named them.
int expect_kernels(std::string_view where, std::string_view name);

}  // namespace eml::cli
