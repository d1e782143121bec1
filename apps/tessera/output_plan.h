#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "imaging/format.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace tessera::cli {

/// What was said about where pictures go.
struct OutputChoice {
    std::string path;    ///< a file, a folder, or empty: the current folder
    std::string format;  ///< empty: by the file's suffix, else PNG
    std::optional<int> quality;
};

/// Where the pictures of one command go, decided and tried before the work begins.
///
/// A file that was named is replaced; with several pictures it is numbered: `sea-1.png`,
/// `sea-2.png`. Otherwise a picture is named by prompt and seed, `a-lighthouse-by-the-sea-42.png`,
/// and with a further number where that is taken.
class OutputPlan {
  public:
    /// kInvalidArgument or kNotFound when nothing could be written there.
    [[nodiscard]] static Result<OutputPlan> make(const OutputChoice& choice, int pictures);

    /// The same format and quality in the same folder, for pictures that are named by prompt and
    /// seed whatever file was named.
    [[nodiscard]] OutputPlan beside() const;

    [[nodiscard]] PictureFormat format() const { return format_; }
    [[nodiscard]] const std::optional<int>& quality() const { return quality_; }

    /// Writes the picture that is `number`-th from 1: whole or not at all. The path it has.
    [[nodiscard]] Result<std::filesystem::path> write(
        int number, std::string_view prompt, std::uint64_t seed, ByteView picture
    ) const;
    /// The same with a name of its own, without suffix, where no file was named.
    [[nodiscard]] Result<std::filesystem::path> write_as(
        int number, const std::string& name, ByteView picture
    ) const;

    /// The two halves of that: the path that the picture will have, and the writing.
    [[nodiscard]] std::filesystem::path path_for(int number, const std::string& name) const;
    [[nodiscard]] static Status write_to(const std::filesystem::path& path, ByteView picture);
    /// Where they go; "." for the current folder.
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  private:
    PictureFormat format_ = PictureFormat::kPng;
    std::optional<int> quality_;
    std::filesystem::path folder_;
    std::filesystem::path file_;  ///< empty: named by prompt and seed
    bool numbered_ = false;
};

/// The name of a picture without its suffix: "a-lighthouse-by-the-sea-42".
[[nodiscard]] std::string picture_name(std::string_view prompt, std::uint64_t seed);

/// The prompt's first words as they may stand in a file name: letters and digits with "-" between,
/// at most some 48 bytes. "picture" when there are none.
[[nodiscard]] std::string name_from_prompt(std::string_view prompt);

}  // namespace tessera::cli
