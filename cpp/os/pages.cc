#include "cpp/os/pages.h"

#include <unistd.h>

#include <string>
#include <string_view>

#include "cpp/base/format.h"
#include "cpp/os/proc_file.h"

namespace mooring {
namespace {

// From the line "Hugepagesize:    2048 kB" of /proc/meminfo, which is the default size
// (hugetlbpage.rst).
std::optional<uint64_t> DefaultHugetlbPageBytes() {
  constexpr std::string_view kName = "Hugepagesize:";
  std::optional<uint64_t> kilobytes;
  ForEachLine("/proc/meminfo", [&](std::string_view line) {
    if (!line.starts_with(kName)) return true;
    kilobytes = ParseNumber(line.substr(kName.size()));
    return false;
  });
  if (!kilobytes || *kilobytes == 0) return std::nullopt;
  return *kilobytes << 10;
}

}  // namespace

uint64_t PageBytes() {
  // Not cached here, because glibc caches it (auxiliary vector, AT_PAGESZ).
  return static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

TransparentHugePages ReadTransparentHugePages() {
  TransparentHugePages pages;
  // "always [madvise] never": the brackets mark the current mode
  // (Documentation/admin-guide/mm/transhuge.rst).
  const std::optional<std::string> enabled =
      ReadSmallFile("/sys/kernel/mm/transparent_hugepage/enabled");
  if (!enabled) return pages;
  if (enabled->find("[always]") != std::string::npos) pages.mode = ThpMode::kAlways;
  if (enabled->find("[madvise]") != std::string::npos) pages.mode = ThpMode::kMadvise;
  if (enabled->find("[never]") != std::string::npos) pages.mode = ThpMode::kNever;
  pages.page_bytes =
      ReadNumberFile("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size").value_or(0);
  return pages;
}

std::optional<HugetlbPool> ReadHugetlbPool(uint64_t page_bytes) {
  const std::string folder = Format("/sys/kernel/mm/hugepages/hugepages-%llukB/",
                                    static_cast<unsigned long long>(page_bytes >> 10));
  const auto number = [&folder](const char* name) {
    return ReadNumberFile((folder + name).c_str());
  };
  const std::optional<uint64_t> total = number("nr_hugepages");
  if (!total) return std::nullopt;
  HugetlbPool pool;
  pool.page_bytes = page_bytes;
  pool.total = *total;
  pool.free = number("free_hugepages").value_or(0);
  pool.reserved = number("resv_hugepages").value_or(0);
  pool.surplus = number("surplus_hugepages").value_or(0);
  pool.overcommit = number("nr_overcommit_hugepages").value_or(0);
  return pool;
}

std::optional<HugetlbPool> ReadDefaultHugetlbPool() {
  const std::optional<uint64_t> page_bytes = DefaultHugetlbPageBytes();
  if (!page_bytes) return std::nullopt;
  return ReadHugetlbPool(*page_bytes);
}

}  // namespace mooring
