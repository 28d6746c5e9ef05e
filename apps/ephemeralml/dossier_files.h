// The files that `verify` and `replay` judge: a dossier, or a receipt with its parts beside it.
#pragma once

#include <CLI/App.hpp>
#include <expected>
#include <optional>
#include <string>

#include "attestation/policy.h"
#include "audit/dossier.h"
#include "audit/verify_dossier.h"
#include "base/user_text.h"

namespace eml::cli {

// DossierOptions are paths, empty if not given.
struct DossierOptions {
  std::string file;  // dossier or receipt
  std::string key;
  std::string evidence;
  std::string request;
  std::string response;
  std::string cleanup;
  std::string manifest;
  std::string policy;
};
void add_dossier_options(CLI::App& command, DossierOptions& options);

// DossierFiles holds what the options name, for as long as the inputs view it.
struct DossierFiles {
  UserText main;
  std::optional<UserText> request;
  std::optional<UserText> response;
  std::optional<Bytes> evidence;
  std::optional<Bytes> cleanup;
  std::optional<Bytes> manifest;
  std::optional<Policy> policy;
  DossierInputs inputs;
  Expectations expectations;  // of the policy; the time is now
};

// Unreadable is a file that cannot be used, and why.
struct Unreadable {
  std::string where;
  Error error;
};

// read_dossier_files reads all of them into `files`, which must not move afterwards. What is named by an option
// replaces what the dossier carries.
std::expected<void, Unreadable> read_dossier_files(const DossierOptions& options, DossierFiles& files);

}  // namespace eml::cli
