// run.h: runs the benchmarks of a program, and exits 1 if one of them failed its checks.
//
// Google Benchmark always exits 0, so errors are recorded here.
//
//   int main(int argc, char** argv) { return mooring::benchmarks::Run(argc, argv); }
//
// Threading: Fail and Skip: any thread of a benchmark. Run: the main thread.
#ifndef MOORING_BENCHMARKS_MICRO_RUN_H_
#define MOORING_BENCHMARKS_MICRO_RUN_H_

#include <benchmark/benchmark.h>

#include <string>

namespace mooring::benchmarks {

// Ends this benchmark because a check failed. The program will exit 1.
void Fail(benchmark::State& state, const std::string& message);

// Ends this benchmark because the machine lacks `feature`. It is a failure only where
// MOORING_REQUIRE names the feature.
void Skip(benchmark::State& state, const std::string& feature, const std::string& message);

// Runs the registered benchmarks, with facts of the machine in the output. Returns the exit status.
int Run(int argc, char** argv);

}  // namespace mooring::benchmarks

#endif  // MOORING_BENCHMARKS_MICRO_RUN_H_
