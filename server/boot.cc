#include "server/boot.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "attestation/bundle.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "keys/release_client.h"
#include "net/http_client.h"
#include "package/package.h"
#include "server/collateral.h"
#include "server/engine_files.h"
#include "server/package_reader.h"

namespace eml {
namespace {

std::unexpected<BootFailure> at(std::string_view where, const Error& error) {
  return std::unexpected(BootFailure{error, std::string(where)});
}

template <typename Work>
bool start_thread(std::vector<std::jthread>& threads, Work& work) {
  try {
    threads.emplace_back(std::ref(work));
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

// All cores, for the seconds that decryption takes. Memory that is not there is the caller's exception, on whichever
// thread it was missed; threads that are not there are done without.
void all_cores_for(std::size_t count, const std::function<void(std::size_t)>& body) {
  const std::size_t workers = std::min<std::size_t>(std::max(1U, std::thread::hardware_concurrency()), count);
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failed;
  auto work = [&] {
    try {
      for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) body(i);
    } catch (const std::bad_alloc&) {
      const std::lock_guard lock(mutex);
      failed = std::current_exception();
    }
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < workers && start_thread(threads, work); ++i) {
  }
  work();
  threads.clear();
  if (failed) std::rethrow_exception(failed);
}

struct OpenedManifest {
  TrustedManifest trusted;
  Bytes bytes;
};

BootResult<OpenedManifest> open_manifest(const BootContext& context, const DirectoryReader& reader) {
  auto bytes = reader.member(kManifestName, kManifestBytesMax);
  const std::string path = context.config.package + "/" + std::string(kManifestName);
  if (!bytes) return at(path, bytes.error());
  ManifestExpectation expectation;
  expectation.publishers = context.config.publishers;
  for (const auto& [id, serial] : context.config.minimum_serials) expectation.minimum_serials.emplace(id, serial);
  auto trusted = accept_manifest(*bytes, expectation);
  if (!trusted) return at(path, trusted.error());
  auto names = reader.names();
  if (!names) return at(context.config.package, names.error());
  if (auto members = check_members(trusted->manifest, std::move(*names)); !members) {
    return at(context.config.package, members.error());
  }
  return OpenedManifest{std::move(*trusted), std::move(*bytes)};
}

Result<Bytes> release_bundle(const BootContext& context, ByteView configuration, const Binding& binding,
                             ByteView manifest) {
  EvidenceBundle bundle;
  bundle.kind = context.attester.kind();
  bundle.binding = encode_binding(binding);
  EML_TRY(MadeEvidence made, context.attester.attest(binding, bundle.binding));
  bundle.evidence = std::move(made.evidence);
  bundle.endorsements = std::move(made.endorsements);
  EML_CHECK(add_collateral(bundle.endorsements, context.config.collateral, bundle.kind));
  bundle.configuration = to_bytes(configuration);
  bundle.manifests = {to_bytes(manifest)};
  return encode_bundle(bundle);
}

BootResult<ReleasedDek> ask_broker(const BootContext& context, const DekRequest& request) {
  const Bytes configuration = encode_configuration(public_configuration(context.config));
  const Url url = *context.config.broker;
  BrokerProvider provider(
      *context.config.broker_key,
      {.exchange = [&url](const HttpCall& call) { return http_call(url, call, {.body_bytes_max = kReleaseAnswerMax}); },
       .make_bundle = [&](const Binding& binding,
                          ByteView manifest) { return release_bundle(context, configuration, binding, manifest); },
       .boot_id = context.boot_id,
       .configuration_hash = sha256(configuration),
       .clock = &context.clock,
       .random = &context.random});
  auto released = provider.release(request);
  if (released) return std::move(*released);
  std::string where = "broker " + url.endpoint.to_string();
  if (!provider.refusal().empty()) where += ", rule " + std::string(provider.refusal());
  return at(where, released.error());
}

BootResult<ReleasedDek> release_dek(const BootContext& context, const OpenedManifest& manifest, ByteView wrapped) {
  const DekRequest request{.manifest = &manifest.trusted, .manifest_bytes = manifest.bytes, .wrapped_dek = wrapped};
  if (context.config.broker) return ask_broker(context, request);
  auto provider = FileProvider::open(*context.config.dek_file);
  if (!provider) return at("keys.dek_file", provider.error());
  log(LogLevel::kWarning, "boot", "EVALUATION: the model's key comes from a file; nobody looked at any evidence");
  auto released = provider->release(request);
  if (!released) return at("keys.dek_file", released.error());
  return std::move(*released);
}

BootResult<std::shared_ptr<const EmbeddingModel>> make_model(const BootContext& context, const LoadedModel& loaded,
                                                             const std::shared_ptr<DirectoryReader>& reader) {
  auto model = EmbeddingModel::load(engine_files(loaded, reader),
                                    {.precision = context.config.precision, .kernels = context.config.kernels});
  if (!model) return at("model", model.error());
  return std::move(*model);
}

}  // namespace

BootResult<ServedModel> load_served_model(const BootContext& context) {
  const auto reader = std::make_shared<DirectoryReader>(context.config.package);
  auto manifest = open_manifest(context, *reader);
  if (!manifest) return std::unexpected(manifest.error());
  auto wrapped = reader->member(kWrappedDekName, kReleaseWrappedDekMax);
  if (!wrapped) return at(context.config.package + "/" + std::string(kWrappedDekName), wrapped.error());
  auto released = release_dek(context, *manifest, *wrapped);
  if (!released) return std::unexpected(released.error());

  auto loaded = load_package(manifest->trusted, *reader, released->dek, all_cores_for);
  released->dek.clear();
  if (!loaded) return at(reader->current(), loaded.error());
  auto model = make_model(context, *loaded, reader);
  if (!model) return std::unexpected(model.error());
  return ServedModel{.identity = std::move(loaded->model),
                     .manifest = std::move(manifest->bytes),
                     .release_record = std::move(released->record),
                     .dek_from_file = released->evaluation,
                     .model = std::move(*model)};
}

BootResult<Bytes> make_release_bundle(const BootContext& context) {
  const DirectoryReader reader(context.config.package);
  auto manifest = open_manifest(context, reader);
  if (!manifest) return std::unexpected(manifest.error());
  constexpr UnixSeconds kDraftValidSeconds = 120;  // as long as a real release binding
  const Bytes configuration = encode_configuration(public_configuration(context.config));
  Binding binding;
  binding.purpose = Purpose::kRelease;
  binding.boot_id = context.boot_id;
  binding.issued_at = context.clock.now();
  binding.not_after = binding.issued_at + kDraftValidSeconds;
  binding.configuration_hash = sha256(configuration);
  binding.model_hashes = {manifest->trusted.model.model_hash};
  // Nobody holds the private half of this key: nothing can be released to the draft.
  binding.release_key = context.random.array<32>();
  binding.challenge = context.random.array<32>();
  auto bundle = release_bundle(context, configuration, binding, manifest->bytes);
  if (!bundle) return at("evidence", bundle.error());
  return std::move(*bundle);
}

}  // namespace eml
