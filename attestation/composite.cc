#include "attestation/composite.h"

#include <algorithm>
#include <set>

#include "attestation/bundle.h"
#include "crypto/hash.h"
#include "encoding/cbor.h"

namespace eml {
namespace {

constexpr std::string_view kKind = "nvidia";

std::unexpected<Error> malformed(Literal what) { return fail(kCompositeMalformed, what); }

Result<DeviceEvidence> read_device(ByteView bytes) {
  EML_TRY(CborMap map, CborMap::decode(bytes));
  DeviceEvidence out;
  EML_TRY(CborReader kind, map.required(1));
  EML_TRY(const std::string_view name, kind.text());
  if (name != kKind) return malformed("a device of another kind");
  EML_TRY(CborReader report, map.required(2));
  EML_TRY(const ByteView report_bytes, report.bytes());
  out.report = to_bytes(report_bytes);
  EML_TRY(CborReader chain, map.required(3));
  EML_TRY(const ByteView chain_bytes, chain.bytes());
  out.chain = to_bytes(chain_bytes);
  const auto read_optional = [&](std::int64_t key, std::optional<Bytes>& into) -> Status {
    auto value = map.optional(key);
    if (!value) return {};
    EML_TRY(const ByteView view, value->bytes());
    into = to_bytes(view);
    return {};
  };
  EML_CHECK(read_optional(4, out.driver_rim));
  EML_CHECK(read_optional(5, out.vbios_rim));
  EML_CHECK(map.done());
  return out;
}

Result<std::vector<DeviceEvidence>> read_devices(const CompositeInput& input) {
  if (input.devices == nullptr || input.devices->empty() || input.devices->size() > kCompositeDevicesMax) {
    return malformed("1 to 64 devices");
  }
  std::vector<DeviceEvidence> out;
  for (const Bytes& bytes : *input.devices) {
    EML_TRY(DeviceEvidence device, decode_device_evidence(bytes));
    out.push_back(std::move(device));
  }
  return out;
}

EvidenceVerdict judge_device(const DeviceEvidence& device, const CompositeInput& input) {
  Collateral collateral{{"chain", device.chain}};
  if (device.driver_rim) collateral.emplace("driver_rim", *device.driver_rim);
  if (device.vbios_rim) collateral.emplace("vbios_rim", *device.vbios_rim);
  return judge_nvidia({.evidence = device.report, .collateral = &collateral, .time = input.time, .root = input.root});
}

std::string nonce_of(const EvidenceVerdict& device) {
  return std::string(device.fields.at("request_nonce").as_string());
}

// What a token or a manifest alone says is no device's report; judge_nvidia accepts those too.
bool is_report(const EvidenceVerdict& device) { return device.details.at("judged") == "report"; }

Status judge_all(const CompositeInput& input, CompositeVerdict& out) {
  EML_TRY(const auto devices, read_devices(input));
  if (input.binding != nullptr && input.binding->devices_hash != devices_digest(*input.devices)) {
    return fail(kCompositeDevicesHash, "the devices are not those of the binding");
  }
  std::set<std::string> seen;
  for (std::uint32_t i = 0; i < devices.size(); ++i) {
    const EvidenceVerdict& device = out.devices.emplace_back(judge_device(devices[i], input));
    if (device.error) return std::unexpected(*device.error);
    if (!is_report(device)) return malformed("a device without a report");
    if (input.binding != nullptr && nonce_of(device) != hex(device_challenge(*input.binding, i))) {
      return fail(kCompositeChallenge, "a device answered another challenge", i);
    }
    if (!seen.emplace(device.details.at("device").as_string()).second) {
      return fail(kCompositeDeviceTwice, "a device is there twice", i);
    }
  }
  return {};
}

Composition composition_of(const CompositeInput& input, const CompositeVerdict& verdict) {
  if (input.binding != nullptr) return Composition::kBound;
  if (input.signed_value.size() != 64) return Composition::kSideBySide;
  const std::string half = hex(input.signed_value.last(32));
  const auto answers = [&](const EvidenceVerdict& device) { return nonce_of(device) == half; };
  return std::ranges::all_of(verdict.devices, answers) ? Composition::kBoundByNonce : Composition::kSideBySide;
}

}  // namespace

Bytes encode_device_evidence(const DeviceEvidence& device) {
  CborWriter out;
  out.map(3U + (device.driver_rim ? 1U : 0U) + (device.vbios_rim ? 1U : 0U));
  out.uint(1).text(kKind).uint(2).bytes(device.report).uint(3).bytes(device.chain);
  if (device.driver_rim) out.uint(4).bytes(*device.driver_rim);
  if (device.vbios_rim) out.uint(5).bytes(*device.vbios_rim);
  return out.take();
}

Result<DeviceEvidence> decode_device_evidence(ByteView bytes) {
  if (bytes.size() > kDeviceEvidenceBytesMax) return malformed("more than 1 MiB for one device");
  auto device = read_device(bytes);
  if (!device) return malformed("a device's evidence is not {1: kind, 2: report, 3: chain, ...}");
  return *std::move(device);
}

Hash32 device_challenge(const Binding& binding, std::uint32_t index) {
  Writer number;
  number.u32(index);
  const Hash32 challenge = binding.challenge.value_or(Hash32{});
  return sha256_of(
      {label("eml device v1"), binding.boot_id, binding.receipt_key, binding.channel_key, challenge, number.view()});
}

std::string_view to_string(Composition composition) {
  switch (composition) {
    case Composition::kBound:
      return "bound";
    case Composition::kBoundByNonce:
      return "bound by nonce";
    case Composition::kSideBySide:
      break;
  }
  return "side by side";
}

CompositeVerdict judge_composite(const CompositeInput& input) {
  CompositeVerdict out;
  if (const Status judged = judge_all(input, out); !judged) {
    out.error = judged.error();
    return out;
  }
  out.composition = composition_of(input, out);
  return out;
}

}  // namespace eml
