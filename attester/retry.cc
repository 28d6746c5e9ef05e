#include "attester/retry.h"

#include <thread>

namespace eml {

void pause_thread(std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }

}  // namespace eml
