#include "base/process_memory.h"

#include <unistd.h>

#include <cstdio>

namespace tessera {

std::uint64_t resident_bytes() {
    std::uint64_t pages = 0;
    if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
        unsigned long long whole = 0;
        unsigned long long resident = 0;
        if (std::fscanf(file, "%llu %llu", &whole, &resident) == 2) {
            pages = resident;
        }
        std::fclose(file);
    }
    return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace tessera
