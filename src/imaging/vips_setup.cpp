#include "imaging/vips_setup.h"

#include <vips/vips.h>

namespace tessera {
namespace {

/// libvips finds its plug-ins (ImageMagick, poppler, OpenSlide, libheif, libjxl) below VIPSHOME,
/// loads them all when it starts, and sets the variable itself if nobody has. None is wanted, and
/// they cost 20 ms and much attack surface: we let it look where nothing is.
class NoPlugIns {
  public:
    NoPlugIns() : before_(g_strdup(g_getenv(kVariable))) {
        g_setenv(kVariable, "/nonexistent", TRUE);
    }
    ~NoPlugIns() {
        if (before_ != nullptr) {
            g_setenv(kVariable, before_, TRUE);
        } else {
            g_unsetenv(kVariable);
        }
        g_free(before_);
    }
    NoPlugIns(const NoPlugIns&) = delete;
    NoPlugIns& operator=(const NoPlugIns&) = delete;

  private:
    static constexpr const char* kVariable = "VIPSHOME";
    char* before_;
};

/// libvips keeps buffers per thread, and frees those of its own threads only.
struct ThreadLease {
    ThreadLease() = default;
    ~ThreadLease() { vips_thread_shutdown(); }
    ThreadLease(const ThreadLease&) = delete;
    ThreadLease& operator=(const ThreadLease&) = delete;
};

void ignore_log(const char*, GLogLevelFlags, const char*, void*) {}

bool start() {
    const NoPlugIns no_plug_ins;
    if (vips_init("tessera") != 0) {
        return false;
    }
    // What a picture is warned about is for us to judge, not for the terminal.
    g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING, ignore_log, nullptr);
    for (const char* all : {"VipsForeignLoad", "VipsForeignSave"}) {
        vips_operation_block_set(all, TRUE);
    }
    for (const char* ours :
         {"VipsForeignLoadPng",
          "VipsForeignLoadJpeg",
          "VipsForeignLoadWebp",
          "VipsForeignSavePng",
          "VipsForeignSaveJpeg",
          "VipsForeignSaveWebp"}) {
        vips_operation_block_set(ours, FALSE);
    }
    vips_block_untrusted_set(TRUE);
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    return true;
}

}  // namespace

Status set_up_vips() {
    static const bool is_ready = start();
    if (!is_ready) {
        return fail(
            ErrorKind::kInternal, "libvips does not start: reinstall the libvips42 package"
        );
    }
    thread_local const ThreadLease lease;
    return {};
}

}  // namespace tessera
