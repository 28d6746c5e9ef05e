// AttesterDevices says where the platforms' devices are. Programs take the defaults; tests play the kernel.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "attester/nitro_attester.h"
#include "attester/retry.h"
#include "attester/tsm_directory.h"

namespace eml {

struct AttesterDevices {
  std::shared_ptr<TsmDirectory> tsm = posix_tsm_directory("/sys/kernel/config/tsm/report");
  std::string nsm = "/dev/nsm";
  NsmIoctl nsm_call = nsm_ioctl;
  std::string tpm = "/dev/tpmrm0";  // or the socket of a software TPM
  std::string launcher = "/run/container_launcher/teeserver.sock";
  Retry retry = {};
};

// make_attester of attester/attester.h, with these devices.
Result<std::unique_ptr<Attester>> make_attester(const AttesterConfig& config, const AttesterDevices& devices,
                                                Random& random, const Clock& clock);

}  // namespace eml
