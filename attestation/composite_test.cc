// One test for each step of docs/spec/evidence/composite.md, section 2, that makes only that step fail.
#include "attestation/composite.h"

#include <gtest/gtest.h>

#include "attestation/bundle.h"
#include "tests/support/gpu_issuer.h"

namespace eml {
namespace {

using test::GpuIssuer;
using test::GpuPlan;

constexpr UnixSeconds kTime = 1780315200;  // 2026-06-01T12:00:00Z

// Two machines' worth of devices under one root would need one issuer with two keys; two boot ROM certificates of one
// key are two devices to the verifier, which tells them apart by the certificate.
const GpuIssuer& issuer() {
  static const GpuIssuer made;
  return made;
}

struct CompositeTest : testing::Test {
  Binding binding{.purpose = Purpose::kServe, .boot_id = BootId{1}, .challenge = Hash32{9}};
  std::vector<Bytes> devices;
  Bytes signed_value = Bytes(64, 0x42);
  bool ours = true;

  CompositeTest() {
    binding.receipt_key.fill(2);
    binding.channel_key.fill(3);
    for (std::uint32_t i = 0; i < 2; ++i) devices.push_back(device(device_challenge(binding, i)));
    binding.devices_hash = devices_digest(devices);
  }

  static Bytes device(const Hash32& nonce) {
    GpuPlan plan;
    plan.nonce = Bytes(nonce.begin(), nonce.end());
    const Bytes report = issuer().report(plan);
    return encode_device_evidence({.report = report, .chain = GpuIssuer::pem(issuer().chain(plan))});
  }

  CompositeVerdict judge() const {
    return judge_composite({.signed_value = signed_value,
                            .binding = ours ? &binding : nullptr,
                            .devices = &devices,
                            .time = kTime,
                            .root = issuer().root()});
  }
  std::string outcome() const {
    const CompositeVerdict verdict = judge();
    return std::string(verdict.error ? verdict.error->code().name : to_string(verdict.composition));
  }
};

TEST_F(CompositeTest, DevicesOfABindingAreBound) {
  EXPECT_EQ(outcome(), "bound");
  EXPECT_EQ(judge().devices.size(), 2U);
}

TEST_F(CompositeTest, ADevicesEvidenceReadsBackAndNothingElseIsRead) {
  const DeviceEvidence whole{.report = {1}, .chain = {2}, .driver_rim = Bytes{3}, .vbios_rim = Bytes{4}};
  const Bytes bytes = encode_device_evidence(whole);
  const auto read = decode_device_evidence(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(encode_device_evidence(*read), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_device_evidence(ByteView(bytes).first(size))) << size;
  }
  EXPECT_FALSE(decode_device_evidence(Bytes(kDeviceEvidenceBytesMax + 1, 0)));
}

TEST_F(CompositeTest, Step1NeedsWellFormedDevices) {
  devices[1].push_back(0);
  EXPECT_EQ(outcome(), "composite-malformed");
  devices.clear();
  EXPECT_EQ(outcome(), "composite-malformed");
  devices.assign(kCompositeDevicesMax + 1, Bytes{0xa0});
  EXPECT_EQ(outcome(), "composite-malformed");
  ours = false;
  devices = {encode_device_evidence({.report = {}, .chain = {}})};
  EXPECT_EQ(outcome(), "nvidia-parse");
}

TEST_F(CompositeTest, Step2NeedsTheDigestOfTheBinding) {
  std::swap(devices[0], devices[1]);
  EXPECT_EQ(outcome(), "composite-devices-hash");
  std::swap(devices[0], devices[1]);
  binding.devices_hash = std::nullopt;
  EXPECT_EQ(outcome(), "composite-devices-hash");
}

TEST_F(CompositeTest, Step3NeedsGenuineReports) {
  GpuPlan plan;
  plan.signer = &issuer().brom_key();
  const Hash32 nonce = device_challenge(binding, 1);
  plan.nonce = Bytes(nonce.begin(), nonce.end());
  devices[1] = encode_device_evidence({.report = issuer().report(plan), .chain = GpuIssuer::pem(issuer().chain(plan))});
  binding.devices_hash = devices_digest(devices);
  EXPECT_EQ(outcome(), "nvidia-report-signature");
}

TEST_F(CompositeTest, Step4NeedsTheAnswerToTheBindingsOwnChallenge) {
  const auto refuses = [&](auto edit) {
    const Binding good = binding;
    edit();
    EXPECT_EQ(outcome(), "composite-challenge");
    binding = good;
  };
  refuses([&] { binding.boot_id[0] ^= 1; });
  refuses([&] { binding.receipt_key[0] ^= 1; });
  refuses([&] { binding.channel_key[0] ^= 1; });
  refuses([&] { binding.challenge = std::nullopt; });
  devices[1] = device(device_challenge(binding, 0));  // right for another place
  binding.devices_hash = devices_digest(devices);
  EXPECT_EQ(outcome(), "composite-challenge");
}

TEST_F(CompositeTest, Step5RejectsADeviceThatIsThereTwice) {
  GpuPlan plan;
  const std::vector<Bytes> chain = issuer().chain(plan);
  for (std::uint32_t i = 0; i < 2; ++i) {
    const Hash32 nonce = device_challenge(binding, i);
    plan.nonce = Bytes(nonce.begin(), nonce.end());
    devices[i] = encode_device_evidence({.report = issuer().report(plan), .chain = GpuIssuer::pem(chain)});
  }
  binding.devices_hash = devices_digest(devices);
  EXPECT_EQ(outcome(), "composite-device-twice");
}

TEST_F(CompositeTest, Step6TellsForeignEvidenceThatIsBoundFromWhatStandsSideBySide) {
  ours = false;
  Hash32 nonce;
  nonce.fill(0x42);
  devices = {device(nonce), device(nonce)};
  EXPECT_EQ(outcome(), "bound by nonce");
  signed_value[0] = 7;  // the first half is the TLS key's
  EXPECT_EQ(outcome(), "bound by nonce");
  signed_value[63] = 7;
  EXPECT_EQ(outcome(), "side by side");
  signed_value = Bytes(32, 0x42);
  EXPECT_EQ(outcome(), "side by side");
  signed_value = Bytes(64, 0x42);
  nonce[0] = 7;
  devices[1] = device(nonce);
  EXPECT_EQ(outcome(), "side by side");
}

// Expected by the definition, written out: the order and widths of what is hashed.
TEST_F(CompositeTest, TheDeviceChallengeIsTheHashThatTheProtocolSays) {
  const Bytes message = concat(to_bytes(std::string_view("eml device v1\0", 14)), binding.boot_id, Bytes(32, 2),
                               Bytes(32, 3), *binding.challenge, Bytes{0, 0, 0, 5});
  EXPECT_EQ(device_challenge(binding, 5), sha256(message));
  binding.challenge = std::nullopt;
  const Bytes without = concat(to_bytes(std::string_view("eml device v1\0", 14)), binding.boot_id, Bytes(32, 2),
                               Bytes(32, 3), Bytes(32, 0), Bytes{0, 0, 0, 5});
  EXPECT_EQ(device_challenge(binding, 5), sha256(without));
}

}  // namespace
}  // namespace eml
