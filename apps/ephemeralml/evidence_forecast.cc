#include "apps/ephemeralml/evidence_forecast.h"

#include "apps/ephemeralml/command.h"
#include "apps/ephemeralml/evidence_inputs.h"
#include "attestation/forecast.h"

namespace eml::cli {
namespace {

JsonObject end_json(const ForecastEnd& end) {
  return {{"item", end.item}, {"what", end.what}, {"last", rfc3339(end.last)}};
}

JsonObject gap_json(const TcbGap& gap) {
  return {{"component", gap.component}, {"have", gap.have}, {"want", gap.want}, {"level", gap.level}};
}

JsonObject forecast_json(const EvidenceOptions& options, UnixSeconds time, const Forecast& forecast) {
  JsonObject out;
  out["kind"] = options.kind;
  out["time"] = rfc3339(time);
  out["valid"] = !forecast.now.error;
  out["error"] = forecast.now.error ? Json(forecast.now.error->to_string()) : Json(nullptr);
  out["good_until"] = forecast.first ? Json(rfc3339(forecast.first->last)) : Json(nullptr);
  out["because"] = nullptr;
  if (forecast.first) {
    JsonObject because = end_json(*forecast.first);
    because["error"] = error_class_of(options.kind, *forecast.then);
    out["because"] = std::move(because);
  }
  JsonArray ends;
  for (const ForecastEnd& end : forecast.ends) ends.push_back(end_json(end));
  out["ends"] = std::move(ends);
  if (!forecast.now.tcb_status.empty()) out["tcb_status"] = forecast.now.tcb_status;
  JsonArray behind;
  for (const TcbGap& gap : forecast.behind) behind.push_back(gap_json(gap));
  out["tcb_behind"] = std::move(behind);
  return out;
}

void say_forecast(const EvidenceOptions& options, UnixSeconds time, const Forecast& forecast) {
  say(options.kind + ": " + (forecast.now.error ? "fails" : "verifies") + " at " + rfc3339(time));
  if (forecast.first) {
    say("good until " + rfc3339(forecast.first->last) + ", then: " + forecast.first->item + " (" +
        std::string(forecast.first->what) + "): " + forecast.then->to_string());
  } else if (!forecast.now.error) {
    say("nothing that is there says when it ends");
  }
  for (const ForecastEnd& end : forecast.ends) {
    say("  " + rfc3339(end.last) + " " + end.item + " " + std::string(end.what));
  }
  if (!forecast.now.tcb_status.empty()) say("TCB status: " + forecast.now.tcb_status);
  for (const TcbGap& gap : forecast.behind) {
    say("behind: " + gap.component + " is " + std::to_string(gap.have) + ", " + std::string(gap.level) + " has " +
        std::to_string(gap.want));
  }
}

int forecast(const EvidenceOptions& options) {
  EvidenceInputs inputs;
  if (const auto read = read_evidence_inputs(options, inputs); !read) return read.error();
  const Forecast found = forecast_evidence(*inputs.kind, inputs.view());
  if (options.json) {
    print_json(forecast_json(options, inputs.time, found));
  } else {
    say_forecast(options, inputs.time, found);
  }
  return found.now.error ? complain(options.evidence, *found.now.error) : kDone;
}

}  // namespace

void add_evidence_forecast(CLI::App& evidence, int& status) {
  auto options = std::make_shared<EvidenceOptions>();
  auto* command = evidence.add_subcommand("forecast", "Say when evidence will no longer verify, and because of what");
  command->add_option("FILE", options->evidence, "The evidence, as the platform gave it")->required();
  command->add_option("--kind", options->kind, "tdx, sevsnp, nitro, confidential_space, tpm or nvidia")->required();
  command->add_option("--collateral", options->collateral, "A directory of NAME.ext, or NAME=FILE; may be repeated");
  command->add_option("--time", options->time, "Look ahead from this time (RFC 3339) instead of now");
  command->add_option("--root", options->root, "Trust this root (certificate or key set) and no built-in one");
  command->add_flag("--json", options->json, "One JSON document");
  command->footer("Example: ephemeralml evidence forecast quote.bin --kind tdx --collateral collateral");
  command->callback([options, &status] { status = forecast(*options); });
}

}  // namespace eml::cli
