#include "engine/worker/cpu_device.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/worker/bytes.h"

namespace tangram {
namespace {

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "CPU";
}

std::vector<int> usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

}  // namespace

WorkerGrant describe_cpu(const std::string& framework) {
  const std::vector<int> cores = usable_cores();
  utsname system{};
  ::uname(&system);
  WorkerGrant grant;
  grant.device = fmt::format("{}, core{} {}", processor_name(), cores.size() == 1 ? "" : "s",
                             fmt::join(cores, " "));
  grant.driver = fmt::format("{} {}", system.sysname, system.release);
  grant.framework = framework;
  return grant;
}

std::optional<std::vector<double>> numbers_of(const std::string& name, const std::string& prefix) {
  if (!name.starts_with(prefix + '-')) return std::nullopt;
  std::vector<double> numbers;
  for (std::size_t at = prefix.size(); at < name.size();) {
    const std::size_t next = std::min(name.find('-', at + 1), name.size());
    const std::string part = name.substr(at + 1, next - at - 1);
    char* end = nullptr;
    const double number = std::strtod(part.c_str(), &end);
    if (part.empty() || *end != '\0' || !std::isfinite(number) || number < 0) return std::nullopt;
    numbers.push_back(number);
    at = next;
  }
  return numbers;
}

void check_fits(const std::string& what, double bytes) {
  const double there =
      static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  if (bytes <= there) return;
  throw RunnerError(RunnerFault::kOutOfMemory,
                    fmt::format("{} needs {:.0f} MiB; the machine has {:.0f} MiB", what,
                                bytes / kMib, there / kMib));
}

}  // namespace tangram
