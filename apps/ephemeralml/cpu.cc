// cpu: what the processor has, which kernels are used, and why not better ones.
#include "base/cpu.h"

#include <fmt/format.h>

#include <cstdlib>

#include "apps/ephemeralml/command.h"
#include "apps/ephemeralml/kernels_option.h"
#include "engine/kernel_survey.h"

namespace eml::cli {
namespace {

// A profile may lack the kernels that are forced; it then refuses to load.
bool has(const ProfileSurvey& profile, std::string_view name) {
  for (const Capability& kernels : profile.kernels) {
    if (kernels.name == name) return kernels.usable();
  }
  return false;
}

std::string_view used(const ProfileSurvey& profile, const std::string& forced) {
  if (forced.empty()) return profile.best();
  return has(profile, forced) ? std::string_view(forced) : "";
}

JsonObject capability_json(const Capability& capability) {
  JsonObject out{{"name", capability.name}, {"usable", capability.usable()}};
  out["why_not"] = capability.usable() ? Json(nullptr) : Json(capability.why_not);
  return out;
}

void print_as_json(const std::string& forced) {
  JsonArray sets;
  for (const Capability& set : survey_instruction_sets()) sets.push_back(capability_json(set));
  JsonArray profiles;
  for (const ProfileSurvey& profile : survey_kernels()) {
    JsonArray kernels;
    for (const Capability& capability : profile.kernels) kernels.push_back(capability_json(capability));
    const std::string_view in_use = used(profile, forced);
    JsonObject out{{"numerics", profile.numerics}};
    out["used"] = in_use.empty() ? Json(nullptr) : Json(in_use);
    out["kernels"] = std::move(kernels);
    profiles.push_back(std::move(out));
  }
  JsonObject out{{"processor", cpu_model()}};
  out["forced"] = forced.empty() ? Json(nullptr) : Json(forced);
  out["instruction_sets"] = std::move(sets);
  out["profiles"] = std::move(profiles);
  print_json(out);
}

void print(const std::string& forced) {
  say("processor      " + cpu_model());
  if (!forced.empty()) say("forced         " + forced + " (EML_KERNELS)");
  say("instruction sets");
  for (const Capability& set : survey_instruction_sets()) {
    say(fmt::format("  {:<13}{}", set.name, set.usable() ? "can be used" : "no: " + set.why_not));
  }
  for (const ProfileSurvey& profile : survey_kernels()) {
    const std::string_view in_use = used(profile, forced);
    say(fmt::format("profile {}", profile.numerics));
    for (const Capability& kernels : profile.kernels) {
      const std::string_view usable = kernels.name == in_use ? "used" : "can be used";
      say(fmt::format("  {:<13}{}", kernels.name, kernels.usable() ? std::string(usable) : "no: " + kernels.why_not));
    }
  }
}

int run(bool json) {
  const std::string forced = forced_kernels();
  if (const int refused = expect_kernels("EML_KERNELS", forced); refused != kDone) return refused;
  json ? print_as_json(forced) : print(forced);
  return kDone;
}

}  // namespace

std::string forced_kernels() {
  const char* kernels = std::getenv("EML_KERNELS");
  return kernels == nullptr ? "" : kernels;
}

int expect_kernels(std::string_view where, std::string_view name) {
  if (name.empty() || kernels_usable(name)) return kDone;
  std::string has;
  for (const ProfileSurvey& profile : survey_kernels()) {
    has += fmt::format("{}{}: {}", has.empty() ? "" : "; ", profile.numerics, profile.usable_kernels());
  }
  return complain_usage(where, "this processor or build does not have the kernels asked for; it has " + has);
}

void add_cpu(CLI::App& app, int& status) {
  auto json = std::make_shared<bool>(false);
  auto* command = app.add_subcommand("cpu", "Say what the processor has, which kernels are used, and why not others");
  command->add_flag("--json", *json, "One JSON document");
  command->footer("EML_KERNELS forces kernels by name. Example: EML_KERNELS=scalar ephemeralml cpu");
  command->callback([json, &status] { status = run(*json); });
}

}  // namespace eml::cli
