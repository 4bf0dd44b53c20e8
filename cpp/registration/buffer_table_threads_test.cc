// BufferTable under several threads; run it with --config=tsan too.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "cpp/engine/testing/fake_engine.h"
#include "cpp/registration/buffer_table.h"

namespace mooring {
namespace {

// FakeEngine counts alerts in a plain int, so the thread sanitizer reports a read or a destruction
// that is not ordered after the last alert.
TEST(BufferTableThreads, DetachReturnsAfterTheLastAlert) {
  for (int round = 0; round < 300; ++round) {
    auto engine = std::make_unique<FakeEngine>();
    const auto table = MakeRef<BufferTable>(engine.get());
    std::atomic<int> asked{0};
    std::atomic<bool> done{false};
    std::thread releaser([&] {
      while (!done.load()) {
        table->RequestBufferCheck();
        asked.fetch_add(1);
      }
    });
    while (asked.load() == 0) std::this_thread::yield();
    table->Detach();
    EXPECT_GT(engine->alerts, 0);
    engine.reset();
    done.store(true);
    releaser.join();
  }
}

}  // namespace
}  // namespace mooring
