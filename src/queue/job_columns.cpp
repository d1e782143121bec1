#include "base/bytes.h"
#include "queue/job_columns_internal.h"

namespace tessera {

std::string encode_workers(const std::vector<WorkerId>& workers) {
    ByteWriter writer;
    for (const WorkerId& worker : workers) {
        writer.put_text(worker.value);
    }
    return std::string(as_text(writer.take()));
}

Result<std::vector<WorkerId>> decode_workers(std::string_view column) {
    std::vector<WorkerId> workers;
    ByteReader reader(as_bytes(column));
    while (!reader.at_end()) {
        TESSERA_ASSIGN(std::string worker, reader.get_text());
        workers.push_back({std::move(worker)});
    }
    return workers;
}

}  // namespace tessera
