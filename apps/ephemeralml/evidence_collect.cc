#include "apps/ephemeralml/evidence_collect.h"

#include <map>

#include "apps/ephemeralml/command.h"
#include "apps/ephemeralml/evidence_inputs.h"
#include "attestation/collateral_form.h"
#include "attestation/collateral_plan.h"
#include "base/files.h"
#include "crypto/hash.h"
#include "net/http_client.h"

namespace eml::cli {
namespace {

constexpr ErrorCode kCollectStatus{ErrorClass::kUnavailable, "collect-status"};
constexpr ErrorCode kCollectClear{ErrorClass::kUnauthentic, "collect-clear-text"};

// A manifest of 1 MiB in base64 and JSON fits, and so does the largest revocation list that we decode.
constexpr HttpClientLimits kLimits{.connect = std::chrono::milliseconds(10'000), .body_bytes_max = kCrlBytesMax};

struct Options {
  std::string file;
  std::string kind;
  std::string to;
  std::string product;
  std::map<CollateralService, std::string> services;
};

// Collected is one item in memory: nothing is written before all of it is there.
struct Collected {
  CollateralPart part;
  std::string source;
  UnixSeconds fetched_at = 0;
  Bytes bytes;
  std::optional<CollateralEnd> end;
};

std::string url_of(const Options& options, const CollateralRequest& request) {
  std::string base = options.services.at(request.service);
  while (base.ends_with('/')) base.pop_back();
  return base + request.target;
}

// Who signed an item says whose it is, whatever way it came; a key set is signed by nobody.
Status check_way(const Url& url, const CollateralPart& part) {
  if (url.tls || collateral_form(part.name) != CollateralForm::kKeySet) return {};
  return fail(kCollectClear, "a key set is trusted because of the server that gives it, and comes over https only");
}

Result<Collected> take_part(const CollateralPart& part, const std::string& source, const HttpReply& reply) {
  Collected out{.part = part, .source = source, .fetched_at = system_clock().now(), .bytes = {}, .end = {}};
  const std::string_view value = part.key.empty() ? std::string_view() : header(reply.headers, part.key);
  EML_TRY(out.bytes, extract_collateral(part, reply.body, value));
  EML_TRY(out.end, decode_collateral_item(collateral_form(part.name), out.bytes));
  return out;
}

Status fetch(const CollateralRequest& request, const std::string& source, std::vector<Collected>& out) {
  EML_TRY(const Url url, parse_url(source));
  for (const CollateralPart& part : request.parts) EML_CHECK(check_way(url, part));
  EML_TRY(const HttpReply reply, http_call(url, HttpCall{.target = url.target}, kLimits));
  if (reply.status != 200) return fail(kCollectStatus, "the service does not give it (HTTP status)", reply.status);
  for (const CollateralPart& part : request.parts) {
    EML_TRY(Collected item, take_part(part, source, reply));
    out.push_back(std::move(item));
  }
  return {};
}

JsonObject item_json(const Collected& item) {
  JsonObject out;
  out["name"] = item.part.name;
  out["file"] = item.part.file;
  out["fetched_at"] = rfc3339(item.fetched_at);
  out["source"] = item.source;
  out["sha256"] = hex(sha256(item.bytes));
  if (item.end) out[item.end->what == "notAfter" ? "not_after" : "next_update"] = rfc3339(item.end->last);
  return out;
}

JsonObject list_json(const Options& options, ByteView evidence, const CollateralPlan& plan,
                     const std::vector<Collected>& items) {
  JsonObject out;
  out["kind"] = options.kind;
  out["evidence_sha256"] = hex(sha256(evidence));
  JsonArray collected;
  for (const Collected& item : items) collected.push_back(item_json(item));
  out["items"] = std::move(collected);
  JsonArray elsewhere;
  for (const CollateralElsewhere& item : plan.elsewhere) {
    elsewhere.push_back(JsonObject{{"name", item.name}, {"where", item.where}});
  }
  out["not_collected"] = std::move(elsewhere);
  return out;
}

int write_all(const Options& options, const std::vector<Collected>& items, const JsonObject& list) {
  if (auto made = make_directory(options.to); !made) return complain(options.to, made.error());
  for (const Collected& item : items) {
    const std::string path = options.to + "/" + std::string(item.part.file);
    if (auto written = write_file(path, item.bytes); !written) return complain(path, written.error());
  }
  const std::string path = options.to + "/" + std::string(kCollateralList);
  const std::string text = compact_json(list) + "\n";
  if (auto written = write_file(path, as_bytes(text)); !written) return complain(path, written.error());
  return kDone;
}

void say_items(const std::vector<Collected>& items, const CollateralPlan& plan) {
  for (const Collected& item : items) {
    std::string line = std::string(item.part.file) + ": " + std::to_string(item.bytes.size()) + " bytes";
    if (item.end) line += ", " + std::string(item.end->what) + " " + rfc3339(item.end->last);
    say(line);
  }
  for (const CollateralElsewhere& item : plan.elsewhere) {
    note(std::string(item.name) + ": not collected: " + std::string(item.where));
  }
  if (plan.requests.empty()) note("nothing is needed of the vendor's services");
}

int collect(const Options& options) {
  const auto kind = read_kind(options.kind);
  if (!kind) return kind.error();
  CollateralHints hints;
  if (!options.product.empty()) hints.product = parse_snp_product(options.product);
  if (!options.product.empty() && !hints.product) {
    return complain_usage("--product", "is none of: Milan, Genoa, Turin");
  }
  const auto evidence = read_file(options.file, kEvidenceFileBytesMax);
  if (!evidence) return complain(options.file, evidence.error());
  const auto plan = plan_collateral((*kind)->name, *evidence, hints);
  if (!plan) return complain(options.file, plan.error());
  std::vector<Collected> items;
  for (const CollateralRequest& request : plan->requests) {
    const std::string source = url_of(options, request);
    if (auto fetched = fetch(request, source, items); !fetched) {
      complain(source, fetched.error());
      return kFailed;  // nothing was judged, whatever the error
    }
  }
  const int written = write_all(options, items, list_json(options, *evidence, *plan, items));
  if (written == kDone) say_items(items, *plan);
  return written;
}

}  // namespace

void add_evidence_collect(CLI::App& evidence, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = evidence.add_subcommand("collect", "Fetch what a piece of evidence needs to be verified offline");
  command->add_option("FILE", options->file, "The evidence, as the platform gave it")->required();
  command->add_option("--kind", options->kind, "tdx, sevsnp, nitro, confidential_space, tpm or nvidia")->required();
  command->add_option("--to", options->to, "Directory for the items and collateral.json")->required();
  command->add_option("--product", options->product, "Milan, Genoa or Turin, for a SEV-SNP report that does not say");
  for (const CollateralServiceInfo& service : collateral_services()) {
    std::string& url = options->services[service.service];
    url = service.base_url;
    command->add_option("--" + std::string(service.name), url, "Base URL, of a mirror for example")
        ->capture_default_str();
  }
  command->footer("Example: ephemeralml evidence collect quote.bin --kind tdx --to collateral");
  command->callback([options, &status] { status = collect(*options); });
}

}  // namespace eml::cli
