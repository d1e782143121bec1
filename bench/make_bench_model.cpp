// make_bench_model FOLDER: the SD1.5-sized model of random weights that the benchmarks run.
#include "bench_model.h"

#include <fmt/core.h>

#include <cstdio>

int main(int argc, char** argv) {
    if (argc != 2) {
        fmt::print(stderr, "usage: make_bench_model FOLDER\n");
        return 2;
    }
    if (const auto status = tessera::make_bench_model(argv[1]); !status) {
        fmt::print(stderr, "make_bench_model: {}\n", status.error().message);
        return 1;
    }
    return 0;
}
