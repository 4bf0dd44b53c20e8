#include "cpp/os/numa.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/syscall.h>

#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cpp/os/kernel.h"
#include "cpp/os/mapping.h"
#include "cpp/os/pages.h"
#include "cpp/os/testing/refuse_call.h"
#include "testing/support/child_process.h"
#include "testing/support/require.h"

namespace mooring {
namespace {

constexpr uint64_t kMegabyte = 1 << 20;
constexpr uint32_t kNoSuchNode = 1000;

// Nodes with memory, from /sys ("0-1,4"); empty if the kernel has no NUMA.
std::vector<uint32_t> NodesWithMemory() {
  std::vector<uint32_t> nodes;
  std::ifstream list("/sys/devices/system/node/has_memory");
  uint32_t first = 0;
  while (list >> first) {
    uint32_t last = first;
    if (list.peek() == '-') {
      list.get();
      list >> last;
    }
    for (uint32_t node = first; node <= last; ++node) nodes.push_back(node);
    if (list.peek() == ',') list.get();
  }
  return nodes;
}

Mapping MustMap(uint64_t size_bytes) {
  Result<Mapping> mapping = Mapping::Anonymous({.size_bytes = size_bytes});
  EXPECT_TRUE(mapping.ok()) << mapping.status().message();
  return std::move(mapping).value();
}

TEST(NodeCount, CountsNodesWithMemory) {
  const std::vector<uint32_t> nodes = NodesWithMemory();
  EXPECT_EQ(NodeCount(), nodes.empty() ? 1u : nodes.size());
}

TEST(CheckNode, AcceptsEveryNodeWithMemory) {
  for (const uint32_t node : NodesWithMemory()) EXPECT_TRUE(CheckNode(node).ok()) << node;
}

TEST(CheckNode, ListsTheExistingNodesInTheRemedy) {
  SKIP_WITHOUT(!NodesWithMemory().empty(), "numa", "a kernel built with CONFIG_NUMA");
  const Status status = CheckNode(kNoSuchNode);
  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_NE(std::string(status.message()).find("1000"), std::string::npos) << status.message();
  const std::string first = std::to_string(NodesWithMemory().front());
  EXPECT_NE(std::string(status.remedy()).find("use one of " + first), std::string::npos)
      << status.remedy();
}

TEST(NodeOf, IsUnknownUntilThePageIsInMemory) {
  const Mapping mapping = MustMap(4 * PageBytes());
  EXPECT_EQ(NodeOf(mapping.data()), -1);
  // The call itself must not fault the page in.
  EXPECT_EQ(NodeOf(mapping.data()), -1);
}

TEST(NodeOf, IsUnknownForUnmappedMemory) { EXPECT_EQ(NodeOf(nullptr), -1); }

TEST(BindRange, PlacesPagesOnTheNodeOrFails) {
  SKIP_WITHOUT(!NodesWithMemory().empty(), "numa", "a kernel built with CONFIG_NUMA");
  for (const uint32_t node : NodesWithMemory()) {
    const Mapping mapping = MustMap(4 * kMegabyte);
    const Status bound = BindRange({.range = mapping.range(), .node = node, .strict = true});
    ASSERT_TRUE(bound.ok()) << bound.message();
    std::memset(mapping.data(), 1, mapping.size_bytes());
    for (uint64_t at = 0; at < mapping.size_bytes(); at += PageBytes()) {
      // Also for an address in the middle of a page.
      ASSERT_EQ(NodeOf(mapping.data() + at + 77), static_cast<int32_t>(node));
    }
  }
}

TEST(BindRange, PrefersANodeWhenNotStrict) {
  SKIP_WITHOUT(!NodesWithMemory().empty(), "numa", "a kernel built with CONFIG_NUMA");
  for (const uint32_t node : NodesWithMemory()) {
    const Mapping mapping = MustMap(PageBytes());
    ASSERT_TRUE(BindRange({.range = mapping.range(), .node = node}).ok());
    mapping.data()[0] = std::byte{1};
    EXPECT_GE(NodeOf(mapping.data()), 0);
  }
}

TEST(BindRange, MovesPagesFromOtherNodes) {
  SKIP_WITHOUT(NodeCount() >= 2, "numa_nodes", "a machine with two memory nodes");
  const std::vector<uint32_t> nodes = NodesWithMemory();
  const Mapping mapping = MustMap(kMegabyte);
  ASSERT_TRUE(BindRange({.range = mapping.range(), .node = nodes[0], .strict = true}).ok());
  std::memset(mapping.data(), 7, mapping.size_bytes());
  ASSERT_TRUE(BindRange({.range = mapping.range(), .node = nodes[1], .strict = true}).ok());
  EXPECT_EQ(NodeOf(mapping.data()), static_cast<int32_t>(nodes[1]));
  EXPECT_EQ(mapping.range().back(), std::byte{7});
}

TEST(BindRange, RejectsInvalidBindings) {
  SKIP_WITHOUT(!NodesWithMemory().empty(), "numa", "a kernel built with CONFIG_NUMA");
  const uint32_t node = NodesWithMemory().front();
  const Mapping mapping = MustMap(2 * PageBytes());
  EXPECT_EQ(BindRange({.range = mapping.range(), .node = kNoSuchNode}).code(), Code::kNotFound);
  EXPECT_EQ(BindRange({.range = mapping.range().subspan(1), .node = node}).code(),
            Code::kInvalidArgument);
  EXPECT_TRUE(BindRange({.range = {}, .node = node}).ok());
  std::span<std::byte> gone;
  {
    const Mapping other = MustMap(PageBytes());
    gone = other.range();
  }
  const Status status = BindRange({.range = gone, .node = node});
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_NE(std::string(status.message()).find("not mapped"), std::string::npos)
      << status.message();
}

TEST(RunOnNode, UsesOnlyCpusThatTheThreadMayUse) {
  for (const uint32_t node : NodesWithMemory()) {
    std::thread([node] {
      const uint32_t before = UsableCpuCount();
      const Status status = RunOnNode(node);
      EXPECT_TRUE(status.ok()) << status.message();
      EXPECT_GE(UsableCpuCount(), 1u);
      EXPECT_LE(UsableCpuCount(), before);
    }).join();
  }
}

TEST(RunOnNode, RejectsANodeThatDoesNotExist) { EXPECT_FALSE(RunOnNode(kNoSuchNode).ok()); }

// The default profile of Docker does this without CAP_SYS_NICE.
bool ForbidNuma() {
  for (const long call : {SYS_get_mempolicy, SYS_mbind, SYS_move_pages, SYS_set_mempolicy}) {
    if (!RefuseCall({.number = call, .error = EPERM})) return false;
  }
  return true;
}

TEST(Numa, AcceptsTheOnlyNodeInASandboxThatForbidsBinding) {
  SKIP_WITHOUT(NodesWithMemory().size() <= 1, "one_numa_node", "a machine with one memory node");
  const conformance::ChildResult child = conformance::RunInChild([]() -> std::string {
    if (!ForbidNuma()) return "cannot install a filter";
    const Mapping mapping = MustMap(PageBytes());
    mapping.data()[0] = std::byte{1};
    if (NodeCount() != 1) return "nodes";
    if (NodeOf(mapping.data()) != -1) return "node of a page";
    const Status first = BindRange({.range = mapping.range(), .node = 0, .strict = true});
    if (!first.ok()) return std::string("node 0: ") + first.message();
    if (BindRange({.range = mapping.range(), .node = 1, .strict = true}).ok()) return "node 1";
    return RunOnNode(0).ok() ? "" : "run on node 0";
  });
  EXPECT_EQ(child.complaint, "");
}

TEST(Numa, ReportsThatASandboxForbidsBinding) {
  SKIP_WITHOUT(NodesWithMemory().size() >= 2, "numa_nodes", "a machine with two memory nodes");
  const conformance::ChildResult child = conformance::RunInChild([]() -> std::string {
    if (!ForbidNuma()) return "cannot install a filter";
    const Mapping mapping = MustMap(PageBytes());
    const Status status = BindRange({.range = mapping.range(), .node = NodesWithMemory().back()});
    // Newer versions of libnuma report no NUMA there.
    if (status.code() == Code::kUnsupported) return "";
    if (status.code() != Code::kPermission) return status.message();
    return std::string(status.remedy()).find("mbind") != std::string::npos ? "" : status.remedy();
  });
  EXPECT_EQ(child.complaint, "");
}

}  // namespace
}  // namespace mooring
