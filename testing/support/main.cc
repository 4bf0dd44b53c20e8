// The program of one configuration. It prepares its process, determines its expectation, and runs
// the suites that apply. With --path it runs no test and prints the path that the configuration
// takes on this machine.

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "testing/support/configuration.h"
#include "testing/support/conformance_fixture.h"
#include "testing/support/path_report.h"
#include "testing/support/preparation.h"
#include "testing/support/require.h"

namespace mooring::conformance {
namespace {

// SIGALRM keeps its default action, which ends the program under every sanitizer and in every
// state. GoogleTest has printed the name of the test before that.
class TestDeadline : public ::testing::EmptyTestEventListener {
  static constexpr unsigned kSeconds = 120;

  void OnTestStart(const ::testing::TestInfo&) override { alarm(kSeconds); }
  void OnTestEnd(const ::testing::TestInfo&) override { alarm(0); }
};

class MissingFeature : public ::testing::Test {
 public:
  explicit MissingFeature(std::string feature) : feature_(std::move(feature)) {}

 private:
  void TestBody() override {
    SKIP_WITHOUT(false, feature_, "this machine cannot run the configuration");
  }

  const std::string feature_;
};

void RegisterMissing(const char* configuration, const std::string& feature) {
  const std::string suite = std::string(configuration) + "/Missing";
  ::testing::RegisterTest(suite.c_str(), feature.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [feature]() -> ::testing::Test* { return new MissingFeature(feature); });
}

int ReportPath(const Configuration& configuration, const std::string& missing) {
  const std::string path = missing.empty() ? PathReport(configuration) : "not here: " + missing;
  std::printf("path: %s\nfeatures: %s\n", path.c_str(), FeatureReport().c_str());
  return 0;
}

int Main(int argc, char** argv) {
  const Configuration& configuration = CurrentConfiguration();
  if (configuration.name == nullptr) {
    std::fprintf(stderr, "no configuration is linked into this program\n");
    return 1;
  }
  std::string missing = Prepare(configuration.preparation, argv);
  if (missing.empty() && configuration.missing != nullptr) missing = configuration.missing();
  if (argc == 2 && std::strcmp(argv[1], "--path") == 0) return ReportPath(configuration, missing);

  ::testing::InitGoogleTest(&argc, argv);
  signal(SIGPIPE, SIG_IGN);  // tests write into pipes without readers and expect the errno
  if (!missing.empty()) {
    RegisterMissing(configuration.name, missing);
  } else {
    SetCurrentExpectation(configuration.expect());
    if (RegisterWithGoogleTest(configuration.name, CurrentExpectation().capabilities) == 0)
      return 1;
  }
  ::testing::UnitTest::GetInstance()->listeners().Append(new TestDeadline);
  return RUN_ALL_TESTS();
}

}  // namespace
}  // namespace mooring::conformance

int main(int argc, char** argv) { return mooring::conformance::Main(argc, argv); }
