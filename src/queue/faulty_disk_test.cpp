#include "queue/faulty_disk_test.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

namespace tessera {

/// Memory and locks that connections share (SQLite's xShm…), by the system's rules.
struct SharedMemory {
    struct Lock {
        int shared = 0;
        bool exclusive = false;
    };
    std::vector<std::unique_ptr<std::string>> regions;
    Lock locks[SQLITE_SHM_NLOCK];
    int users = 0;
};

struct FaultyDisk::State {
    struct File {
        std::string bytes;
        SharedMemory shared;
        int readers = 0;
        int level = SQLITE_LOCK_NONE;  ///< the highest that anybody holds above SHARED
    };

    std::mutex mutex;
    std::map<std::string, std::shared_ptr<File>> files;
    FaultyDisk::Files at_first;
    std::vector<Step> steps;
    std::function<int(std::size_t)> fault;
    std::size_t changes = 0;
    std::string name;
    sqlite3_vfs vfs{};

    int next_fault() { return fault ? fault(changes++) : SQLITE_OK; }
};

namespace {

using State = FaultyDisk::State;
using Step = FaultyDisk::Step;

struct OpenFile {
    sqlite3_file base;
    State* state;
    State::File* file;
    std::shared_ptr<State::File>* owner;
    std::string* path;
    int level;
    unsigned shm_shared;
    unsigned shm_exclusive;
    bool has_shm;
};

OpenFile& of(sqlite3_file* file) {
    return *reinterpret_cast<OpenFile*>(file);
}

void unlock_to(OpenFile& open, int level) {
    State::File& file = *open.file;
    if (open.level > SQLITE_LOCK_SHARED && level <= SQLITE_LOCK_SHARED) {
        file.level = SQLITE_LOCK_NONE;
    }
    if (open.level >= SQLITE_LOCK_SHARED && level == SQLITE_LOCK_NONE) {
        --file.readers;
    }
    open.level = std::min(open.level, level);
}

void release_shm(OpenFile& open) {
    for (int i = 0; i < SQLITE_SHM_NLOCK; ++i) {
        auto& lock = open.file->shared.locks[i];
        lock.shared -= (open.shm_shared >> i) & 1U ? 1 : 0;
        lock.exclusive = lock.exclusive && ((open.shm_exclusive >> i) & 1U) == 0;
    }
    open.shm_shared = open.shm_exclusive = 0;
}

int close_file(sqlite3_file* raw) {
    OpenFile& open = of(raw);
    const std::lock_guard lock(open.state->mutex);
    unlock_to(open, SQLITE_LOCK_NONE);
    delete open.owner;
    delete open.path;
    return SQLITE_OK;
}

int read_file(sqlite3_file* raw, void* to, int amount, sqlite3_int64 offset) {
    OpenFile& open = of(raw);
    const std::lock_guard lock(open.state->mutex);
    const std::string& bytes = open.file->bytes;
    const auto begin = std::min(static_cast<std::size_t>(offset), bytes.size());
    const auto size = std::min(static_cast<std::size_t>(amount), bytes.size() - begin);
    std::memcpy(to, bytes.data() + begin, size);
    if (size < static_cast<std::size_t>(amount)) {
        std::memset(static_cast<char*>(to) + size, 0, static_cast<std::size_t>(amount) - size);
        return SQLITE_IOERR_SHORT_READ;
    }
    return SQLITE_OK;
}

void put(std::string& file, std::int64_t offset, const std::string& bytes) {
    const auto begin = static_cast<std::size_t>(offset);
    file.resize(std::max(file.size(), begin + bytes.size()));
    file.replace(begin, bytes.size(), bytes);
}

int write_file(sqlite3_file* raw, const void* from, int amount, sqlite3_int64 offset) {
    OpenFile& open = of(raw);
    const std::lock_guard lock(open.state->mutex);
    std::string bytes(static_cast<const char*>(from), static_cast<std::size_t>(amount));
    const int fault = open.state->next_fault();
    if (fault != SQLITE_OK) {
        bytes.resize(bytes.size() / 2);
    }
    put(open.file->bytes, offset, bytes);
    open.state->steps.push_back({Step::Kind::kWrite, *open.path, offset, std::move(bytes)});
    return fault;
}

int truncate_file(sqlite3_file* raw, sqlite3_int64 size) {
    OpenFile& open = of(raw);
    const std::lock_guard lock(open.state->mutex);
    open.file->bytes.resize(static_cast<std::size_t>(size));
    open.state->steps.push_back({Step::Kind::kTruncate, *open.path, size, {}});
    return SQLITE_OK;
}

int sync_file(sqlite3_file* raw, int /*flags*/) {
    OpenFile& open = of(raw);
    const std::lock_guard lock(open.state->mutex);
    const int fault = open.state->next_fault();
    if (fault == SQLITE_OK) {
        open.state->steps.push_back({Step::Kind::kSync, *open.path, 0, {}});
    }
    return fault == SQLITE_OK ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

int file_size(sqlite3_file* raw, sqlite3_int64* size) {
    OpenFile& open = of(raw);
    const std::lock_guard lock(open.state->mutex);
    *size = static_cast<sqlite3_int64>(open.file->bytes.size());
    return SQLITE_OK;
}

int lock_file(sqlite3_file* raw, int level) {
    OpenFile& open = of(raw);
    const std::lock_guard lock(open.state->mutex);
    State::File& file = *open.file;
    if (open.level >= level) {
        return SQLITE_OK;
    }
    const bool is_others = file.level > SQLITE_LOCK_NONE && open.level <= SQLITE_LOCK_SHARED;
    if (level == SQLITE_LOCK_SHARED ? file.level >= SQLITE_LOCK_PENDING : is_others) {
        return SQLITE_BUSY;
    }
    if (open.level == SQLITE_LOCK_NONE) {
        ++file.readers;
    }
    if (level > SQLITE_LOCK_SHARED) {
        if (level == SQLITE_LOCK_EXCLUSIVE && file.readers > 1) {
            file.level = open.level = SQLITE_LOCK_PENDING;
            return SQLITE_BUSY;
        }
        file.level = level;
    }
    open.level = level;
    return SQLITE_OK;
}

int unlock_file(sqlite3_file* raw, int level) {
    OpenFile& open = of(raw);
    const std::lock_guard lock(open.state->mutex);
    unlock_to(open, level);
    return SQLITE_OK;
}

int check_reserved(sqlite3_file* raw, int* is_reserved) {
    OpenFile& open = of(raw);
    const std::lock_guard lock(open.state->mutex);
    *is_reserved = open.file->level >= SQLITE_LOCK_RESERVED ? 1 : 0;
    return SQLITE_OK;
}

int control_file(sqlite3_file* /*file*/, int /*operation*/, void* /*argument*/) {
    return SQLITE_NOTFOUND;
}

int sector_size(sqlite3_file* /*file*/) {
    return 4096;
}

int characteristics(sqlite3_file* /*file*/) {
    return 0;
}

int map_shm(sqlite3_file* raw, int region, int size, int extend, volatile void** memory) {
    OpenFile& open = of(raw);
    const std::lock_guard lock(open.state->mutex);
    SharedMemory& shared = open.file->shared;
    if (!std::exchange(open.has_shm, true)) {
        ++shared.users;
    }
    *memory = nullptr;
    if (static_cast<std::size_t>(region) >= shared.regions.size() && extend == 0) {
        return SQLITE_OK;
    }
    while (static_cast<std::size_t>(region) >= shared.regions.size()) {
        shared.regions.push_back(std::make_unique<std::string>(static_cast<std::size_t>(size), '\0')
        );
    }
    *memory = shared.regions[static_cast<std::size_t>(region)]->data();
    return SQLITE_OK;
}

int lock_shm(sqlite3_file* raw, int offset, int count, int flags) {
    OpenFile& open = of(raw);
    const std::lock_guard lock(open.state->mutex);
    const bool is_shared = (flags & SQLITE_SHM_SHARED) != 0;
    const unsigned mask = ((1U << count) - 1U) << offset;
    if ((flags & SQLITE_SHM_LOCK) != 0) {
        for (int i = offset; i < offset + count; ++i) {
            const auto& held = open.file->shared.locks[i];
            if (held.exclusive || (!is_shared && held.shared > 0)) {
                return SQLITE_BUSY;
            }
        }
    }
    const int step = (flags & SQLITE_SHM_LOCK) != 0 ? 1 : -1;
    for (int i = offset; i < offset + count; ++i) {
        auto& held = open.file->shared.locks[i];
        if (is_shared) {
            held.shared += step;
        } else {
            held.exclusive = step > 0;
        }
    }
    unsigned& own = is_shared ? open.shm_shared : open.shm_exclusive;
    own = step > 0 ? own | mask : own & ~mask;
    return SQLITE_OK;
}

void barrier(sqlite3_file* raw) {
    const std::lock_guard lock(of(raw).state->mutex);
}

int unmap_shm(sqlite3_file* raw, int /*is_deleted*/) {
    OpenFile& open = of(raw);
    const std::lock_guard lock(open.state->mutex);
    release_shm(open);
    if (std::exchange(open.has_shm, false) && --open.file->shared.users == 0) {
        open.file->shared.regions.clear();
    }
    return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {
    2,
    close_file,
    read_file,
    write_file,
    truncate_file,
    sync_file,
    file_size,
    lock_file,
    unlock_file,
    check_reserved,
    control_file,
    sector_size,
    characteristics,
    map_shm,
    lock_shm,
    barrier,
    unmap_shm,
    nullptr,
    nullptr};

State& of(sqlite3_vfs* vfs) {
    return *static_cast<State*>(vfs->pAppData);
}

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* raw, int flags, int* out_flags) {
    State& state = of(vfs);
    const std::lock_guard lock(state.mutex);
    static std::atomic<int> temporary = 0;
    const std::string path = name == nullptr ? "temporary" + std::to_string(++temporary) : name;
    raw->pMethods = nullptr;
    auto& file = state.files[path];
    if (!file) {
        if ((flags & SQLITE_OPEN_CREATE) == 0) {
            state.files.erase(path);
            return SQLITE_CANTOPEN;
        }
        file = std::make_shared<State::File>();
    }
    OpenFile& open = of(raw);
    open = {
        {&kMethods},
        &state,
        file.get(),
        new std::shared_ptr<State::File>(file),
        new std::string(path),
        SQLITE_LOCK_NONE,
        0,
        0,
        false};
    if (out_flags != nullptr) {
        *out_flags = flags;
    }
    return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync_folder) {
    State& state = of(vfs);
    const std::lock_guard lock(state.mutex);
    if (state.files.erase(name) == 0) {
        return SQLITE_IOERR_DELETE_NOENT;
    }
    state.steps.push_back({Step::Kind::kDelete, name, sync_folder, {}});
    return SQLITE_OK;
}

int access_file(sqlite3_vfs* vfs, const char* name, int /*flags*/, int* result) {
    State& state = of(vfs);
    const std::lock_guard lock(state.mutex);
    *result = state.files.contains(name) ? 1 : 0;
    return SQLITE_OK;
}

int full_path(sqlite3_vfs* /*vfs*/, const char* name, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
}

}  // namespace

FaultyDisk::FaultyDisk(Files files) : state_(std::make_unique<State>()) {
    static std::atomic<int> count = 0;
    state_->at_first = files;
    for (auto& [name, bytes] : files) {
        auto file = std::make_shared<State::File>();
        file->bytes = std::move(bytes);
        state_->files[name] = std::move(file);
    }
    state_->name = "faulty-disk-" + std::to_string(++count);
    const sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
    state_->vfs = *system;  // randomness, sleep and time as they are
    state_->vfs.iVersion = 2;
    state_->vfs.szOsFile = sizeof(OpenFile);
    state_->vfs.pNext = nullptr;
    state_->vfs.zName = state_->name.c_str();
    state_->vfs.pAppData = state_.get();
    state_->vfs.xOpen = open_file;
    state_->vfs.xDelete = delete_file;
    state_->vfs.xAccess = access_file;
    state_->vfs.xFullPathname = full_path;
    sqlite3_vfs_register(&state_->vfs, 0);
}

FaultyDisk::~FaultyDisk() {
    sqlite3_vfs_unregister(&state_->vfs);
}

const std::string& FaultyDisk::vfs() const {
    return state_->name;
}

std::size_t FaultyDisk::steps() const {
    const std::lock_guard lock(state_->mutex);
    return state_->steps.size();
}

void FaultyDisk::on_change(std::function<int(std::size_t)> fault) {
    const std::lock_guard lock(state_->mutex);
    state_->changes = 0;
    state_->fault = std::move(fault);
}

FaultyDisk::Files FaultyDisk::after_power_cut(
    std::size_t steps, const std::function<unsigned()>& chance
) const {
    const std::lock_guard lock(state_->mutex);
    std::map<std::string, std::size_t> synced;  // the number of steps that its last sync covers
    for (std::size_t i = 0; i < steps; ++i) {
        if (state_->steps[i].kind == Step::Kind::kSync) {
            synced[state_->steps[i].file] = i;
        }
    }
    Files files = state_->at_first;
    for (std::size_t i = 0; i < steps; ++i) {
        const Step& step = state_->steps[i];
        const bool is_safe = (synced.contains(step.file) && i < synced.at(step.file)) ||
                             (step.kind == Step::Kind::kDelete && step.offset != 0);
        const unsigned luck = is_safe ? 0 : chance() % 3;
        if (luck == 1) {
            continue;
        }
        switch (step.kind) {
            case Step::Kind::kWrite:
                put(files[step.file],
                    step.offset,
                    luck == 2 ? step.bytes.substr(0, step.bytes.size() / 2) : step.bytes);
                break;
            case Step::Kind::kTruncate:
                files[step.file].resize(static_cast<std::size_t>(step.offset));
                break;
            case Step::Kind::kDelete:
                files.erase(step.file);
                break;
            case Step::Kind::kSync:
                break;
        }
    }
    return files;
}

}  // namespace tessera
