#include "inference/engine_cache.h"
#include "inference/session_internal.h"

#include <malloc.h>
#include <onnxruntime_session_options_config_keys.h>

#include <array>

namespace tessera {
namespace {

// Smaller initializers stay in the graph file, where ONNX Runtime's shape inference sees them.
constexpr const char* kSmallestExternalBytes = "1024";

Ort::MemoryInfo cpu_memory() {
    return Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
}

Ort::SessionOptions common_options() {
    Ort::SessionOptions options;
    options.SetExecutionMode(ORT_SEQUENTIAL);
    options.SetLogSeverityLevel(ORT_LOGGING_LEVEL_FATAL);
    // One scratch arena for all networks of a process: they rarely peak at the same time.
    options.AddConfigEntry(kOrtSessionOptionsConfigUseEnvAllocators, "1");
    // Weights are not scratch: taken from the arena, they would be rounded up to powers of two.
    options.AddConfigEntry(kOrtSessionOptionsUseDeviceAllocatorForInitializers, "1");
    return options;
}

/// A view of memory as ONNX Runtime wants it; it never writes to inputs or weights.
template <class T>
Ort::Value as_value(std::span<const T> values, const Shape& shape) {
    return Ort::Value::CreateTensor<T>(
        cpu_memory(), const_cast<T*>(values.data()), values.size(), shape.data(), shape.size()
    );
}

/// The weights must stay where they are until the session is made.
void add_weights(Ort::SessionOptions& options, const OnnxModel& model) {
    std::vector<std::string> names;
    std::vector<Ort::Value> values;
    for (const OnnxWeight& weight : model.weights) {
        names.push_back(weight.name);
        values.push_back(as_value(weight.values, weight.shape));
    }
    if (!names.empty()) {
        options.AddExternalInitializers(names, values);
    }
}

Port describe(std::string name, const Ort::TypeInfo& type) {
    if (type.GetONNXType() != ONNX_TYPE_TENSOR) {
        throw Ort::Exception(name + " is not a tensor", ORT_NOT_IMPLEMENTED);
    }
    const auto tensor = type.GetTensorTypeAndShapeInfo();
    Port port;
    port.name = std::move(name);
    port.shape = tensor.GetShape();
    for (const char* symbol : tensor.GetSymbolicDimensions()) {
        port.symbols.emplace_back(symbol == nullptr ? "" : symbol);
    }
    switch (tensor.GetElementType()) {
        case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
            port.type = ElementType::kFloat;
            break;
        case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
            port.type = ElementType::kInt64;
            break;
        default:
            throw Ort::Exception(port.name + " is neither float nor int64", ORT_NOT_IMPLEMENTED);
    }
    return port;
}

std::vector<Tensor> copy_out(const std::vector<Ort::Value>& values) {
    std::vector<Tensor> tensors;
    tensors.reserve(values.size());
    for (const Ort::Value& value : values) {
        const auto info = value.GetTensorTypeAndShapeInfo();
        const auto* data = value.GetTensorData<float>();
        tensors.emplace_back(
            info.GetShape(), std::vector<float>(data, data + info.GetElementCount())
        );
    }
    return tensors;
}

/// CUDA in plain fp32: TF32 would keep 10 bits of a product's factors.
void use_cuda(Ort::SessionOptions& options) {
    OrtCUDAProviderOptionsV2* raw = nullptr;
    Ort::ThrowOnError(Ort::GetApi().CreateCUDAProviderOptions(&raw));
    const std::unique_ptr<OrtCUDAProviderOptionsV2, void (*)(OrtCUDAProviderOptionsV2*)> cuda(
        raw, Ort::GetApi().ReleaseCUDAProviderOptions
    );
    const std::array<const char*, 2> keys{"device_id", "use_tf32"};
    const std::array<const char*, 2> values{"0", "0"};
    Ort::ThrowOnError(
        Ort::GetApi().UpdateCUDAProviderOptions(cuda.get(), keys.data(), values.data(), keys.size())
    );
    options.AppendExecutionProvider_CUDA_V2(*cuda);
}

}  // namespace

void return_free_memory() {
    ::malloc_trim(0);
}

std::string session_settings() {
    return "optimisation=all,execution=sequential,prepacking=on";
}

Session::Session(std::shared_ptr<Runtime> runtime, Ort::Session session, bool is_mapped)
    : runtime_(std::move(runtime)), session_(std::move(session)), is_mapped_(is_mapped) {
    Ort::AllocatorWithDefaultOptions allocator;
    for (std::size_t i = 0; i < session_.GetInputCount(); ++i) {
        inputs_.push_back(describe(
            session_.GetInputNameAllocated(i, allocator).get(), session_.GetInputTypeInfo(i)
        ));
    }
    for (std::size_t i = 0; i < session_.GetOutputCount(); ++i) {
        outputs_.push_back(describe(
            session_.GetOutputNameAllocated(i, allocator).get(), session_.GetOutputTypeInfo(i)
        ));
        if (outputs_.back().type != ElementType::kFloat) {
            throw Ort::Exception(outputs_.back().name + " is not float", ORT_NOT_IMPLEMENTED);
        }
    }
}

Session::~Session() {
    session_ = Ort::Session(nullptr);
    return_free_memory();
}

Result<std::shared_ptr<const Session>> Session::from_memory(
    const std::shared_ptr<Runtime>& runtime, const OnnxModel& model, Provider provider
) {
    auto session = behind_wall([&]() -> std::shared_ptr<const Session> {
        auto options = common_options();
        options.DisablePerSessionThreads();
        options.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
        if (provider == Provider::kCuda) {
            use_cuda(options);
        }
        add_weights(options, model);
        return std::make_shared<Session>(
            runtime,
            Ort::Session(runtime->env(), model.proto.data(), model.proto.size(), options),
            false
        );
    });
    return_free_memory();
    return session;
}

Result<std::shared_ptr<const Session>> Session::from_cache(
    const std::shared_ptr<Runtime>& runtime,
    std::string_view graph,
    const std::filesystem::path& folder
) {
    auto session = behind_wall([&]() -> std::shared_ptr<const Session> {
        auto options = common_options();
        options.DisablePerSessionThreads();
        // The file is optimised already; doing it again would copy weights out of the mapping.
        options.SetGraphOptimizationLevel(ORT_DISABLE_ALL);
        options.AddConfigEntry(
            kOrtSessionOptionsModelExternalInitializersFileFolderPath,
            std::filesystem::absolute(folder).c_str()
        );
        return std::make_shared<Session>(
            runtime, Ort::Session(runtime->env(), graph.data(), graph.size(), options), true
        );
    });
    return_free_memory();
    return session;
}

Result<std::vector<Tensor>> Session::run(
    std::span<const Input> inputs, std::span<const std::size_t> order, const std::stop_token& cancel
) const {
    if (cancel.stop_requested()) {
        return fail(ErrorKind::kCancelled, "cancelled");
    }
    auto outputs = behind_wall([&] {
        std::vector<const char*> input_names;
        std::vector<const char*> output_names;
        std::vector<Ort::Value> values;
        input_names.reserve(inputs_.size());
        output_names.reserve(outputs_.size());
        values.reserve(inputs_.size());
        for (std::size_t port = 0; port < inputs_.size(); ++port) {
            const Input& input = inputs[order[port]];
            input_names.push_back(inputs_[port].name.c_str());
            values.push_back(
                input.type() == ElementType::kFloat ? as_value(input.floats(), input.shape())
                                                    : as_value(input.ids(), input.shape())
            );
        }
        for (const Port& port : outputs_) {
            output_names.push_back(port.name.c_str());
        }
        Ort::RunOptions options;
        const std::stop_callback terminate(cancel, [&options] { options.SetTerminate(); });
        return copy_out(session_.Run(
            options,
            input_names.data(),
            values.data(),
            values.size(),
            output_names.data(),
            output_names.size()
        ));
    });
    if (!outputs && cancel.stop_requested()) {
        return fail(ErrorKind::kCancelled, "cancelled");
    }
    return outputs;
}

Status write_optimised(
    const std::shared_ptr<Runtime>& runtime,
    const OnnxModel& model,
    const std::filesystem::path& folder,
    const std::stop_token& cancel
) {
    auto written = behind_wall([&] {
        auto options = common_options();
        options.SetIntraOpNumThreads(1);
        options.SetInterOpNumThreads(1);
        options.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
        options.SetOptimizedModelFilePath((folder / kCachedGraphFile).c_str());
        options.AddConfigEntry(kOrtSessionOptionsSavePrePackedConstantInitializers, "1");
        options.AddConfigEntry(
            kOrtSessionOptionsOptimizedModelExternalInitializersFileName, kCachedWeightsFile
        );
        options.AddConfigEntry(
            kOrtSessionOptionsOptimizedModelExternalInitializersMinSizeInBytes,
            kSmallestExternalBytes
        );
        add_weights(options, model);
        const std::stop_callback stop(cancel, [&options] {
            options.SetLoadCancellationFlag(true);
        });
        const Ort::Session session(runtime->env(), model.proto.data(), model.proto.size(), options);
    });
    return_free_memory();
    if (cancel.stop_requested()) {
        return fail(ErrorKind::kCancelled, "cancelled");
    }
    return written;
}

}  // namespace tessera
