#pragma once

#include "base/result.h"
#include "imaging/foreign_parameters.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

/// A node of ComfyUI's graph.
struct ComfyNode {
    std::string id;
    std::string type;       ///< its class: "KSampler"
    nlohmann::json inputs;  ///< an object: values, and links to other nodes

    /// "node 12 ControlNetApply", for messages.
    [[nodiscard]] std::string name() const;
    [[nodiscard]] bool is(std::initializer_list<std::string_view> types) const;
};

/// One output of a node.
struct ComfyLink {
    const ComfyNode* node = nullptr;
    std::int64_t slot = 0;
};

/// ComfyUI's graph as it was run (the API form), and ways to walk it that end whatever it holds:
/// each look at a node is counted.
class ComfyGraph {
  public:
    /// kCorrupt or kExhausted. What is no node is left out.
    [[nodiscard]] static Result<ComfyGraph> parse(std::string_view json);

    /// In the order of their numbers, other names after them.
    [[nodiscard]] const std::vector<ComfyNode>& nodes() const { return nodes_; }

    /// What the input is linked to; nothing when it is absent or no link. kCorrupt when the link
    /// leads nowhere, kExhausted after too many looks: links that run in a circle.
    [[nodiscard]] Result<std::optional<ComfyLink>> follow(const ComfyNode& node, const char* input);

    /// The input's own value, or that of the node it is linked to as far as that is a plain value,
    /// as typed text. Nothing when there is none; then `remarks` tells if there ought to be.
    enum class Wanted : std::uint8_t { kNumber, kText };
    [[nodiscard]] Result<std::optional<std::string>> value(
        const ComfyNode& node, const char* input, Wanted wanted, ForeignParameters& remarks
    );

    /// The same as numbers within a range. kInvalidArgument when it is none.
    [[nodiscard]] Result<std::optional<int>> whole(
        const ComfyNode& node, const char* input, int least, int most, ForeignParameters& remarks
    );
    [[nodiscard]] Result<std::optional<double>> real(
        const ComfyNode& node,
        const char* input,
        double least,
        double most,
        ForeignParameters& remarks
    );
    [[nodiscard]] Result<std::optional<std::uint64_t>> seed(
        const ComfyNode& node, const char* input, ForeignParameters& remarks
    );

  private:
    Status count_look(const ComfyNode& node);
    [[nodiscard]] Result<std::optional<std::string>> joined(
        const ComfyNode& node, ForeignParameters& remarks
    );

    std::vector<ComfyNode> nodes_;
    std::map<std::string, std::size_t, std::less<>> by_id_;
    std::size_t looks_ = 0;
    std::size_t most_looks_ = 0;
};

}  // namespace tessera
