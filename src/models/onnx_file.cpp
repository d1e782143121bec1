#include "models/onnx_file.h"

#include "base/file.h"

#include <onnx/onnx_pb.h>

#include <array>
#include <string>

namespace tessera {

Status write_onnx_file(const OnnxModel& model, const std::filesystem::path& folder) {
    const std::string file_name = model.name + ".onnx";
    const std::string data_name = file_name + ".data";

    onnx::ModelProto proto;
    if (!proto.ParseFromString(model.proto)) {
        return fail(ErrorKind::kInternal, "the graph of {} cannot be read back", model.name);
    }
    AtomicFileWriter data;
    TESSERA_TRY(data.open(folder / data_name));
    auto weight = model.weights.begin();
    for (auto& initializer : *proto.mutable_graph()->mutable_initializer()) {
        if (initializer.data_location() != onnx::TensorProto::EXTERNAL) {
            continue;
        }
        for (auto& entry : *initializer.mutable_external_data()) {
            if (entry.key() == "location") {
                entry.set_value(data_name);
            } else if (entry.key() == "offset") {
                TESSERA_TRY(data.pad_to(std::stoull(entry.value())));
            }
        }
        TESSERA_TRY(data.write(std::as_bytes(weight->values)));
        ++weight;
    }
    TESSERA_TRY(data.commit());
    return write_file_atomically(folder / file_name, as_bytes(proto.SerializeAsString()));
}

}  // namespace tessera
