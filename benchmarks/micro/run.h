// run.h: how a benchmark program ends: with failure, if any of its benchmarks measured something
// other than it says.
//
// Google Benchmark exits 0 whatever its benchmarks found, so errors are counted here.
//
//   int main(int argc, char** argv) { return mooring::benchmarks::Run(argc, argv); }
//
// Threading: Fail and Skip take any thread of a benchmark; Run is main's.
#ifndef MOORING_BENCHMARKS_MICRO_RUN_H_
#define MOORING_BENCHMARKS_MICRO_RUN_H_

#include <benchmark/benchmark.h>

#include <string>

namespace mooring::benchmarks {

// Ends this benchmark: what it did was wrong. The program will exit 1.
void Fail(benchmark::State& state, const std::string& message);

// Ends this benchmark: the machine lacks `feature`. A failure only where MOORING_REQUIRE names it.
void Skip(benchmark::State& state, const std::string& feature, const std::string& message);

// Runs what was registered, with facts of the machine in the output. The program's exit status.
int Run(int argc, char** argv);

}  // namespace mooring::benchmarks

#endif  // MOORING_BENCHMARKS_MICRO_RUN_H_
