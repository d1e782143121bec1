#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::cli {

/// Names a batch's pictures: each by the options of its line and its number among that line's
/// pictures. Lines that are alike are told apart by their order, so that moving other lines about
/// changes nothing.
class BatchKeys {
  public:
    /// `options`: all that decides how a picture looks and does not stand in its line, the model's
    /// hash included; a random seed as what was asked for ("-1"), not as it was drawn.
    explicit BatchKeys(std::string options) : options_(std::move(options)) {}

    /// To be asked once for each line of the file, in order. Gives the line's name, for picture().
    [[nodiscard]] std::string line(std::string_view text);
    /// `number` from 1: more pictures of a line leave the names of the first as they are.
    [[nodiscard]] static std::string picture(std::string_view line, int number);

  private:
    std::string options_;
    std::map<std::string, std::size_t, std::less<>> seen_;
};

/// Which pictures of a batch are finished, kept in the folder of the pictures as
/// `.tessera-batch.jsonl`, so that the same command goes on where it was interrupted, by whatever.
///
/// A picture is promised before it is written, with the name and the hash of its file. Files appear
/// whole or not at all; so afterwards it is finished if its file is there, and only for the last
/// promise of a process that died the file's content has to be looked at. One process at a time;
/// one thread.
class BatchJournal {
  public:
    /// Opens or begins the journal and locks it. kUnavailable when another process holds it,
    /// kUnsupported for one of a newer program, else what the disk says. A journal that is damaged
    /// is no error: see warnings().
    [[nodiscard]] static Result<BatchJournal> open(const std::filesystem::path& folder);

    BatchJournal(BatchJournal&& other) noexcept;
    BatchJournal& operator=(BatchJournal&&) = delete;
    ~BatchJournal();

    /// What was wrong with the journal, in sentences: how many entries could not be read, whose
    /// pictures will be made again.
    [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

    /// The file of a picture that is finished and still there.
    [[nodiscard]] std::optional<std::filesystem::path> find(std::string_view key) const;

    /// To be called before the file is written: on the disk when it returns. The file must be in
    /// the journal's folder.
    [[nodiscard]] Status promise(
        std::string_view key, const std::filesystem::path& file, ByteView content
    );

    /// Takes the promise back, where writing failed.
    [[nodiscard]] Status withdraw(std::string_view key);

    /// The whole batch is finished: removes the journal, so that the same command begins anew.
    [[nodiscard]] Status complete();

  private:
    struct Entry {
        std::string file;  ///< a name in the folder; empty: withdrawn
        std::string hash;  ///< FastHash
    };

    BatchJournal(std::filesystem::path folder, int fd) : folder_(std::move(folder)), fd_(fd) {}

    Status load();
    Status begin_anew(std::string_view why);
    Status read_entries(std::string_view content);
    Status check_last();
    [[nodiscard]] bool read_entry(std::string_view line);
    void remember(std::string_view key, Entry entry);
    Status append(std::string_view line);

    std::filesystem::path folder_;
    int fd_;
    std::map<std::string, Entry, std::less<>> entries_;
    std::map<std::string, std::string, std::less<>> owners_;  // keys by file
    std::string last_key_;
    std::vector<std::string> warnings_;
};

}  // namespace tessera::cli
