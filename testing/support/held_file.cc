#include "testing/support/held_file.h"

#include <dirent.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "testing/support/eventually.h"

namespace mooring::conformance {
namespace {

// The state letter of a thread (proc(5)). "D" is an uninterruptible wait.
char StateOf(const std::string& thread) {
  std::ifstream file("/proc/self/task/" + thread + "/stat");
  std::string line;
  std::getline(file, line);
  const size_t name_end = line.rfind(')');  // a name may contain any character, also brackets
  return name_end == std::string::npos || name_end + 2 >= line.size() ? '?' : line[name_end + 2];
}

bool AnotherThreadIsStuck(pid_t except) {
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return false;
  bool stuck = false;
  while (const dirent* entry = readdir(tasks)) {
    const std::string thread = entry->d_name;
    if (thread[0] == '.' || thread == std::to_string(except)) continue;
    stuck = stuck || StateOf(thread) == 'D';
  }
  closedir(tasks);
  return stuck;
}

}  // namespace

HeldFile::HeldFile(const TempDir& dir) : file_(dir.Create("held")) {
  writer_ = std::thread([this] {
    writer_id_ = gettid();
    [[maybe_unused]] const ssize_t written = pwrite(file_.get(), page_.data(), 1, 0);
  });
  if (page_.WaitForUse()) return;
  std::fprintf(stderr, "the writer does not reach its held page\n");
  std::abort();
}

HeldFile::~HeldFile() { Release(); }

bool HeldFile::WaitForStuckWrite() const {
  return Eventually([this] { return AnotherThreadIsStuck(writer_id_); });
}

void HeldFile::Release() {
  page_.Release();
  if (writer_.joinable()) writer_.join();
}

}  // namespace mooring::conformance
