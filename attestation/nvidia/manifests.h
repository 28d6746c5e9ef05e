// RimSet is the driver's and the VBIOS's manifest, those that were given, held against one device.
// Source: docs/spec/evidence/nvidia.md, steps 8 and 9.
#pragma once

#include <optional>

#include "attestation/judge.h"
#include "attestation/nvidia/report.h"
#include "attestation/nvidia/rim.h"

namespace eml {

struct RimSet {
  std::optional<VerifiedRim> driver;
  std::optional<VerifiedRim> vbios;

  bool empty() const { return !driver && !vbios; }

  // verify takes "driver_rim" and "vbios_rim" of the collateral; one that is not there is not there. kNvidiaRimXml,
  // kNvidiaRimSignature. `root_given`: the caller replaced the built-in roots, so a "rim_root" (one certificate, PEM or
  // DER) replaces that of the manifests; otherwise a "rim_root" that is not the built-in one is kNvidiaRimSignature.
  struct Roots {
    bool root_given = false;
  };
  static Result<RimSet> verify(const Collateral& collateral, UnixSeconds time, Roots roots);

  // compare: kNvidiaRimMismatch if a manifest is for another version or chip, a measurement is not one of its values,
  // or both claim one index (the integer). `details` gets a line for each manifest, whatever the outcome.
  Status compare(const VerifiedGpuReport& device, JsonObject& details) const;
};

}  // namespace eml
