#include "testing/support/proc_self.h"

#include <dirent.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
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

uint64_t OpenFdCount() { return EntryCount("/proc/self/fd") - 1; }  // less the one that lists them

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
    std::ifstream stat("/proc/self/task/" + id + "/stat");
    std::string line;
    std::getline(stat, line);  // empty when the thread is gone by now
    const size_t name_end = line.rfind(") ");
    if (name_end == std::string::npos || line.find("(iou-") != std::string::npos) return;
    count += line[name_end + 2] == 'R';
  });
  return count;
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

}  // namespace mooring::conformance
