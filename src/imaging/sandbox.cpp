#include "imaging/sandbox.h"

#include "base/file.h"

#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <memory>
#include <string_view>

namespace tessera {
namespace {

Status refused(std::string_view what, int code) {
    return fail(ErrorKind::kInternal, "the system refuses {}: {}", what, errno_text(code));
}

Status limit(__rlimit_resource resource, rlim_t soft, rlim_t hard, std::string_view name) {
    const rlimit wanted{soft, hard};
    return ::setrlimit(resource, &wanted) == 0 ? Status() : refused(name, errno);
}

/// Of this process now. With a sanitizer that is terabytes, which is why the limit is relative.
Result<std::uint64_t> mapped_bytes() {
    std::uint64_t pages = 0;
    if (!(std::ifstream("/proc/self/statm") >> pages)) {
        return fail(ErrorKind::kInternal, "/proc/self/statm cannot be read");
    }
    return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

Status set_limits(const SandboxLimits& limits) {
    TESSERA_ASSIGN(const std::uint64_t mapped, mapped_bytes());
    const auto memory = static_cast<rlim_t>(mapped + limits.memory_bytes);
    const auto seconds = static_cast<rlim_t>(
        std::max<std::int64_t>(1, static_cast<std::int64_t>(limits.processor_time.count()))
    );
    TESSERA_TRY(limit(RLIMIT_CORE, 0, 0, "a limit on core files"));
    TESSERA_TRY(limit(RLIMIT_FSIZE, 0, 0, "a limit on files"));
    TESSERA_TRY(limit(RLIMIT_NOFILE, 0, 0, "a limit on open files"));
    TESSERA_TRY(limit(RLIMIT_MEMLOCK, 0, 0, "a limit on locked memory"));
    TESSERA_TRY(limit(RLIMIT_MSGQUEUE, 0, 0, "a limit on message queues"));
    TESSERA_TRY(limit(RLIMIT_CPU, seconds, seconds + 1, "a limit on processor time"));
    return limit(RLIMIT_AS, memory, memory, "a limit on memory");
}

/// A crash ends the process, whatever a library would rather do about it.
void let_signals_kill() {
    for (const int crash : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGXCPU}) {
        ::signal(crash, SIG_DFL);
    }
}

Status give_up_privileges() {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::prctl(PR_SET_DUMPABLE, 0) != 0 ||
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return refused("to take privileges away", errno);
    }
    return {};
}

struct ReleaseFilter {
    void operator()(void* filter) const { seccomp_release(filter); }
};

/// The answer of the first libseccomp call that fails, as a negative errno.
int load_filter() {
    const std::unique_ptr<void, ReleaseFilter> owner(seccomp_init(SCMP_ACT_KILL_PROCESS));
    scmp_filter_ctx filter = owner.get();
    if (filter == nullptr) {
        return -EINVAL;
    }
    int failed = 0;
    const auto check = [&failed](int result) { failed = failed == 0 ? result : failed; };
    check(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
    check(seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1));
    const auto allow = [&](int call) { check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0)); };
    const auto allow_if = [&](int call, const scmp_arg_cmp& condition) {
        check(seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &condition));
    };
    // Memory, but none to run code in.
    const scmp_arg_cmp is_no_code{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
    allow_if(SCMP_SYS(mmap), is_no_code);
    allow_if(SCMP_SYS(mprotect), is_no_code);
    for (const int call : {
             SCMP_SYS(brk),
             SCMP_SYS(munmap),
             SCMP_SYS(mremap),
             SCMP_SYS(madvise),
             // Threads begin, wait for each other, and end.
             SCMP_SYS(set_robust_list),
             SCMP_SYS(rseq),
             SCMP_SYS(sched_getaffinity),
             SCMP_SYS(futex),
             SCMP_SYS(sched_yield),
             SCMP_SYS(restart_syscall),
             SCMP_SYS(exit),
             SCMP_SYS(exit_group),
             SCMP_SYS(sigaltstack),  // of AddressSanitizer
             // abort() says of whom, and to whom.
             SCMP_SYS(getpid),
             SCMP_SYS(gettid),
             SCMP_SYS(rt_sigprocmask),
             SCMP_SYS(rt_sigreturn),
             // Where the vDSO does not answer.
             SCMP_SYS(clock_gettime),
             SCMP_SYS(gettimeofday),
         }) {
        allow(call);
    }
    allow_if(
        SCMP_SYS(tgkill), {0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid()), scmp_datum_t{0}}
    );
    // Threads as pthread_create() makes them, and nothing else that clone() can make. clone3()
    // hides from a filter what it is to make; it is said to be missing, and then clone() is taken.
    constexpr scmp_datum_t kThread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
                                     CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
                                     CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
    allow_if(SCMP_SYS(clone), {0, SCMP_CMP_EQ, kThread, 0});
    check(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0));
    allow_if(SCMP_SYS(prctl), {0, SCMP_CMP_EQ, PR_SET_NAME, 0});
    allow_if(SCMP_SYS(write), {0, SCMP_CMP_EQ, STDOUT_FILENO, 0});
    return failed != 0 ? failed : seccomp_load(filter);
}

/// An empty filter is refused for being empty, unless all are: by an old kernel, or by a container.
bool are_filters_offered() {
    return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, nullptr) ==
               -1 &&
           errno == EFAULT;
}

Result<SandboxStrength> filter_system_calls() {
    if (!are_filters_offered()) {
        return SandboxStrength::kLimitsOnly;
    }
    if (const int result = load_filter(); result != 0) {
        return tl::unexpected(refused("a filter of system calls", -result).error());
    }
    return SandboxStrength::kSeccompAndLimits;
}

}  // namespace

Result<SandboxStrength> enter_sandbox(const SandboxLimits& limits) {
    TESSERA_TRY(give_up_privileges());
    let_signals_kill();
    TESSERA_TRY(set_limits(limits));
    return filter_system_calls();
}

}  // namespace tessera
