// Collateral is what a verifier needs beside this machine's evidence and the platform does not give: a vendor's TCB
// info, certificates and revocation lists, as `evidence collect` leaves them in a directory. It travels in the bundle.
#pragma once

#include <string>
#include <vector>

#include "attestation/bundle.h"
#include "base/result.h"

namespace eml {

// add_collateral adds to `endorsements` the files of `directory` that are called by a collateral name of `kind`, with
// any extension ("tcb_info.json"); what the platform gave stays. `fetched_at` is the file's time. Read for each bundle,
// so that collateral can be renewed under a running server. An empty `directory` is none. Errors: those of read_file; a
// directory that cannot be listed is kFileUnreadable.
Status add_collateral(std::vector<Endorsement>& endorsements, const std::string& directory, EvidenceKind kind);

}  // namespace eml
