#include "testing/support/proc_self.h"

#include <dirent.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace mooring::conformance {
namespace {

template <typename Visit>
void ForEachEntry(const char* path, Visit visit) {
  DIR* dir = opendir(path);
  if (dir == nullptr) return;
  while (const dirent* entry = readdir(dir)) {
    if (entry->d_name[0] != '.') visit(entry->d_name);
  }
  closedir(dir);
}

uint64_t EntryCount(const char* path) {
  uint64_t count = 0;
  ForEachEntry(path, [&](const char*) { ++count; });
  return count;
}

// "" when the file does not exist any more, for example of a thread that has ended.
std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// In /proc/PID/stat, the start of the name of a kernel thread of a ring (iou-sqp-*, iou-wrk-*).
constexpr char kKernelThreadName[] = "(iou-";

template <typename Visit>
void ForEachMapping(Visit visit) {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    uint64_t begin = 0;
    uint64_t end = 0;
    if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64, &begin, &end) == 2)
      visit(begin, end, line);
  }
}

}  // namespace

// Without the descriptor of the directory.
uint64_t OpenFdCount() { return EntryCount("/proc/self/fd") - 1; }

uint64_t MappingCount() { return MappingCount(""); }

uint64_t MappingCount(const std::string& name) {
  uint64_t count = 0;
  ForEachMapping([&](uint64_t, uint64_t, const std::string& line) {
    if (line.find(name) != std::string::npos) ++count;
  });
  return count;
}

uint64_t ThreadCount() { return EntryCount("/proc/self/task"); }

uint64_t RunningThreadCount() {
  uint64_t count = 0;
  ForEachEntry("/proc/self/task", [&](const std::string& id) {
    if (id == std::to_string(gettid())) return;
    const std::string stat = FirstLine("/proc/self/task/" + id + "/stat");
    const size_t name_end = stat.rfind(") ");
    if (name_end == std::string::npos || stat.find(kKernelThreadName) != std::string::npos) return;
    count += stat[name_end + 2] == 'R';
  });
  return count;
}

std::map<std::string, uint64_t> KernelThreadsCpuNs() {
  std::map<std::string, uint64_t> times;
  ForEachEntry("/proc/self/task", [&](const std::string& id) {
    const std::string folder = "/proc/self/task/" + id;
    if (FirstLine(folder + "/stat").find(kKernelThreadName) == std::string::npos) return;
    times[id] = std::strtoull(FirstLine(folder + "/schedstat").c_str(), nullptr, 10);
  });
  return times;
}

// IORING_SQ_NEED_WAKEUP is not enough: the SQPOLL thread sets it and checks its queue once more
// before it sleeps. wchan (proc(5)) is 0 until it sleeps.
bool SqpollThreadSleeps(int fd) {
  std::ifstream facts("/proc/self/fdinfo/" + std::to_string(fd));
  std::string name;
  int id = 0;
  while (facts >> name) {
    if (name == "SqThread:" && facts >> id) break;
  }
  return FirstLine("/proc/self/task/" + std::to_string(id) + "/wchan") == "io_sq_thread";
}

bool IsMapped(const void* address) {
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  bool found = false;
  ForEachMapping([&](uint64_t begin, uint64_t end, const std::string&) {
    found = found || (begin <= wanted && wanted < end);
  });
  return found;
}

std::string StatusLine(const std::string& name) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind(name + ":", 0) != 0) continue;
    const size_t start = line.find_first_not_of(" \t", name.size() + 1);
    return start == std::string::npos ? "" : line.substr(start);
  }
  return "";
}

uint64_t PinnedBytes() { return std::strtoull(StatusLine("VmPin").c_str(), nullptr, 10) * 1024; }

}  // namespace mooring::conformance
