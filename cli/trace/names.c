/* The names of numbers in system calls' arguments, as strace prints them. */
#include "abi/linux/auxv.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/ioctl.h"
#include "abi/linux/mman.h"
#include "abi/linux/prctl.h"
#include "abi/linux/resource.h"
#include "abi/linux/sched.h"
#include "abi/linux/signal.h"
#include "abi/linux/socket.h"
#include <stdio.h>

#include "cli/trace/show.h"

#define N(name)                                                                                    \
	{                                                                                          \
		name, #name                                                                        \
	}
#define END                                                                                        \
	{                                                                                          \
		0, NULL                                                                            \
	}

/* Flags: wider masks before their parts. */
static const struct trace_name open_flags[] = {N(O_CREAT), N(O_EXCL), N(O_NOCTTY), N(O_TRUNC),
	N(O_APPEND), N(O_NONBLOCK), N(O_SYNC), N(O_DSYNC), N(O_ASYNC), N(O_DIRECT), N(O_LARGEFILE),
	N(O_TMPFILE), N(O_DIRECTORY), N(O_NOFOLLOW), N(O_NOATIME), N(O_CLOEXEC), N(O_PATH), END};
static const struct trace_name prots[] = {
	N(PROT_READ), N(PROT_WRITE), N(PROT_EXEC), N(PROT_GROWSDOWN), N(PROT_GROWSUP), END};
static const struct trace_name map_flags[] = {N(MAP_SHARED_VALIDATE), N(MAP_SHARED), N(MAP_PRIVATE),
	N(MAP_FIXED), N(MAP_ANONYMOUS), N(MAP_32BIT), N(MAP_GROWSDOWN), N(MAP_DENYWRITE),
	N(MAP_LOCKED), N(MAP_NORESERVE), N(MAP_POPULATE), N(MAP_NONBLOCK), N(MAP_STACK),
	N(MAP_HUGETLB), N(MAP_SYNC), N(MAP_FIXED_NOREPLACE), END};
static const struct trace_name mremap_flags[] = {
	N(MREMAP_MAYMOVE), N(MREMAP_FIXED), N(MREMAP_DONTUNMAP), END};
static const struct trace_name at_flags[] = {
	N(AT_SYMLINK_NOFOLLOW), N(AT_REMOVEDIR), N(AT_SYMLINK_FOLLOW), N(AT_EMPTY_PATH), END};
static const struct trace_name unlink_flags[] = {N(AT_REMOVEDIR), END};
static const struct trace_name rename_flags[] = {
	{1, "RENAME_NOREPLACE"}, {2, "RENAME_EXCHANGE"}, END};
static const struct trace_name access_modes[] = {N(R_OK), N(W_OK), N(X_OK), END};
static const struct trace_name lock_operations[] = {
	N(LOCK_SH), N(LOCK_EX), N(LOCK_NB), N(LOCK_UN), END};
static const struct trace_name eventfd_flags[] = {
	N(EFD_SEMAPHORE), {EFD_NONBLOCK, "EFD_NONBLOCK"}, {EFD_CLOEXEC, "EFD_CLOEXEC"}, END};
static const struct trace_name timer_flags[] = {
	{1, "TIMER_ABSTIME"}, {2, "TFD_TIMER_CANCEL_ON_SET"}, END};
static const struct trace_name random_flags[] = {
	{1, "GRND_NONBLOCK"}, {2, "GRND_RANDOM"}, {4, "GRND_INSECURE"}, END};
static const struct trace_name socket_flags[] = {
	{SOCK_CLOEXEC, "SOCK_CLOEXEC"}, {SOCK_NONBLOCK, "SOCK_NONBLOCK"}, END};
static const struct trace_name message_flags[] = {N(MSG_OOB), N(MSG_PEEK), N(MSG_DONTROUTE),
	N(MSG_CTRUNC), N(MSG_TRUNC), N(MSG_DONTWAIT), N(MSG_EOR), N(MSG_WAITALL), N(MSG_ERRQUEUE),
	N(MSG_NOSIGNAL), N(MSG_MORE), N(MSG_WAITFORONE), N(MSG_ZEROCOPY), N(MSG_FASTOPEN),
	N(MSG_CMSG_CLOEXEC), END};
static const struct trace_name clone_flags[] = {N(CLONE_VM), N(CLONE_FS), N(CLONE_FILES),
	N(CLONE_SIGHAND), N(CLONE_PIDFD), N(CLONE_VFORK), N(CLONE_PARENT), N(CLONE_THREAD),
	N(CLONE_NEWNS), N(CLONE_SYSVSEM), N(CLONE_SETTLS), N(CLONE_PARENT_SETTID),
	N(CLONE_CHILD_CLEARTID), N(CLONE_DETACHED), N(CLONE_CHILD_SETTID), N(CLONE_NEWUSER),
	N(CLONE_NEWPID), N(CLONE_NEWNET), N(CLONE_IO), N(CLONE_CLEAR_SIGHAND), END};
static const struct trace_name epoll_flags[] = {{02000000, "EPOLL_CLOEXEC"}, END};
static const struct trace_name epoll_events[] = {N(EPOLLIN), N(EPOLLPRI), N(EPOLLOUT), N(EPOLLERR),
	N(EPOLLHUP), N(EPOLLRDNORM), N(EPOLLWRNORM), N(EPOLLRDHUP), N(EPOLLEXCLUSIVE),
	N(EPOLLWAKEUP), N(EPOLLONESHOT), N(EPOLLET), END};
static const struct trace_name poll_events[] = {N(POLLIN), N(POLLPRI), N(POLLOUT), N(POLLERR),
	N(POLLHUP), N(POLLNVAL), N(POLLRDNORM), N(POLLWRNORM), N(POLLRDHUP), END};
static const struct trace_name signal_flags[] = {N(SA_NOCLDSTOP), N(SA_NOCLDWAIT), N(SA_SIGINFO),
	N(SA_RESTORER), N(SA_ONSTACK), N(SA_RESTART), N(SA_NODEFER), N(SA_RESETHAND), END};
static const struct trace_name stack_flags[] = {
	N(SS_ONSTACK), N(SS_DISABLE), N(SS_AUTODISARM), END};

/* One of several. */
static const struct trace_name whences[] = {
	N(SEEK_SET), N(SEEK_CUR), N(SEEK_END), N(SEEK_DATA), N(SEEK_HOLE), END};
static const struct trace_name advices[] = {N(MADV_NORMAL), N(MADV_RANDOM), N(MADV_SEQUENTIAL),
	N(MADV_WILLNEED), N(MADV_DONTNEED), N(MADV_FREE), N(MADV_REMOVE), N(MADV_DONTFORK),
	N(MADV_DOFORK), N(MADV_HUGEPAGE), N(MADV_NOHUGEPAGE), N(MADV_DONTDUMP), N(MADV_DODUMP),
	N(MADV_COLD), N(MADV_PAGEOUT), N(MADV_POPULATE_READ), N(MADV_POPULATE_WRITE), END};
static const struct trace_name fcntl_commands[] = {N(F_DUPFD), N(F_GETFD), N(F_SETFD), N(F_GETFL),
	N(F_SETFL), N(F_GETLK), N(F_SETLK), N(F_SETLKW), N(F_SETOWN), N(F_GETOWN), N(F_OFD_GETLK),
	N(F_OFD_SETLK), N(F_OFD_SETLKW), N(F_DUPFD_CLOEXEC), N(F_SETPIPE_SZ), N(F_GETPIPE_SZ),
	N(F_ADD_SEALS), N(F_GET_SEALS), END};
static const struct trace_name ioctls[] = {N(TCGETS), N(TCSETS), N(TCSETSW), N(TCSETSF),
	N(TIOCGPGRP), N(TIOCSPGRP), N(TIOCGWINSZ), N(TIOCSWINSZ), N(FIONREAD), N(FIONBIO),
	N(FIOCLEX), N(FIONCLEX), N(FIOASYNC), {0x8912, "SIOCGIFCONF"}, {0x8913, "SIOCGIFFLAGS"},
	{0x8915, "SIOCGIFADDR"}, {0x8933, "SIOCGIFINDEX"}, END};
static const struct trace_name clocks[] = {N(CLOCK_REALTIME), N(CLOCK_MONOTONIC),
	N(CLOCK_PROCESS_CPUTIME_ID), N(CLOCK_THREAD_CPUTIME_ID), N(CLOCK_MONOTONIC_RAW),
	N(CLOCK_REALTIME_COARSE), N(CLOCK_MONOTONIC_COARSE), N(CLOCK_BOOTTIME),
	N(CLOCK_REALTIME_ALARM), N(CLOCK_BOOTTIME_ALARM), N(CLOCK_TAI), END};
static const struct trace_name sigmask_hows[] = {N(SIG_BLOCK), N(SIG_UNBLOCK), N(SIG_SETMASK), END};
static const struct trace_name itimers[] = {N(ITIMER_REAL), N(ITIMER_VIRTUAL), N(ITIMER_PROF), END};
static const struct trace_name families[] = {N(AF_UNSPEC), N(AF_UNIX), N(AF_INET), N(AF_INET6),
	N(AF_NETLINK), N(AF_PACKET), N(AF_VSOCK), END};
static const struct trace_name shutdowns[] = {N(SHUT_RD), N(SHUT_WR), N(SHUT_RDWR), END};
static const struct trace_name levels[] = {
	N(SOL_IP), N(SOL_SOCKET), N(SOL_TCP), N(SOL_UDP), N(SOL_IPV6), END};
static const struct trace_name epoll_operations[] = {
	N(EPOLL_CTL_ADD), N(EPOLL_CTL_DEL), N(EPOLL_CTL_MOD), END};
static const struct trace_name resources[] = {N(RLIMIT_CPU), N(RLIMIT_FSIZE), N(RLIMIT_DATA),
	N(RLIMIT_STACK), N(RLIMIT_CORE), N(RLIMIT_RSS), N(RLIMIT_NPROC), N(RLIMIT_NOFILE),
	N(RLIMIT_MEMLOCK), N(RLIMIT_AS), N(RLIMIT_LOCKS), N(RLIMIT_SIGPENDING), N(RLIMIT_MSGQUEUE),
	N(RLIMIT_NICE), N(RLIMIT_RTPRIO), N(RLIMIT_RTTIME), END};
static const struct trace_name arch_codes[] = {
	N(ARCH_SET_GS), N(ARCH_SET_FS), N(ARCH_GET_FS), N(ARCH_GET_GS), END};
static const struct trace_name prctls[] = {N(PR_SET_PDEATHSIG), N(PR_GET_PDEATHSIG),
	N(PR_GET_DUMPABLE), N(PR_SET_DUMPABLE), N(PR_GET_KEEPCAPS), N(PR_SET_KEEPCAPS),
	N(PR_SET_NAME), N(PR_GET_NAME), N(PR_GET_SECCOMP), N(PR_SET_SECCOMP), N(PR_CAPBSET_READ),
	N(PR_CAPBSET_DROP), N(PR_GET_SECUREBITS), N(PR_SET_SECUREBITS), N(PR_SET_TIMERSLACK),
	N(PR_GET_TIMERSLACK), N(PR_SET_MM), N(PR_SET_CHILD_SUBREAPER), N(PR_GET_CHILD_SUBREAPER),
	N(PR_SET_NO_NEW_PRIVS), N(PR_GET_NO_NEW_PRIVS), N(PR_SET_THP_DISABLE),
	N(PR_GET_THP_DISABLE), N(PR_CAP_AMBIENT), N(PR_SET_PTRACER), N(PR_SET_VMA), END};
static const struct trace_name futex_commands[] = {N(FUTEX_WAIT), N(FUTEX_WAKE), N(FUTEX_FD),
	N(FUTEX_REQUEUE), N(FUTEX_CMP_REQUEUE), N(FUTEX_WAKE_OP), N(FUTEX_LOCK_PI),
	N(FUTEX_UNLOCK_PI), N(FUTEX_TRYLOCK_PI), N(FUTEX_WAIT_BITSET), N(FUTEX_WAKE_BITSET),
	N(FUTEX_WAIT_REQUEUE_PI), N(FUTEX_CMP_REQUEUE_PI), N(FUTEX_LOCK_PI2), END};
static const struct trace_name socket_types[] = {
	N(SOCK_STREAM), N(SOCK_DGRAM), N(SOCK_RAW), N(SOCK_RDM), N(SOCK_SEQPACKET), END};
static const struct trace_name socket_options[] = {N(SO_DEBUG), N(SO_REUSEADDR), N(SO_TYPE),
	N(SO_ERROR), N(SO_DONTROUTE), N(SO_BROADCAST), N(SO_SNDBUF), N(SO_RCVBUF), N(SO_KEEPALIVE),
	N(SO_OOBINLINE), N(SO_PRIORITY), N(SO_LINGER), N(SO_REUSEPORT), N(SO_PASSCRED),
	N(SO_PEERCRED), N(SO_RCVLOWAT), N(SO_SNDLOWAT), N(SO_RCVTIMEO), N(SO_SNDTIMEO),
	N(SO_BINDTODEVICE), N(SO_TIMESTAMP), N(SO_ACCEPTCONN), N(SO_PROTOCOL), N(SO_DOMAIN),
	N(SO_INCOMING_CPU), N(SO_INCOMING_NAPI_ID), N(SO_ZEROCOPY), END};
static const struct trace_name tcp_options[] = {{1, "TCP_NODELAY"}, {2, "TCP_MAXSEG"},
	{3, "TCP_CORK"}, {4, "TCP_KEEPIDLE"}, {5, "TCP_KEEPINTVL"}, {6, "TCP_KEEPCNT"},
	{7, "TCP_SYNCNT"}, {8, "TCP_LINGER2"}, {9, "TCP_DEFER_ACCEPT"}, {10, "TCP_WINDOW_CLAMP"},
	{11, "TCP_INFO"}, {12, "TCP_QUICKACK"}, {13, "TCP_CONGESTION"}, {18, "TCP_USER_TIMEOUT"},
	{23, "TCP_FASTOPEN"}, {30, "TCP_FASTOPEN_CONNECT"}, END};

static const struct {
	const char *kind;
	const struct trace_name *names;
	bool flags;
} lists[] = {
	{"open_flags", open_flags, true},
	{"fd_flags", open_flags, true},
	{"prot", prots, true},
	{"map_flags", map_flags, true},
	{"mremap_flags", mremap_flags, true},
	{"at_flags", at_flags, true},
	{"unlink_flags", unlink_flags, true},
	{"rename_flags", rename_flags, true},
	{"access", access_modes, true},
	{"lock", lock_operations, true},
	{"eventfd_flags", eventfd_flags, true},
	{"timer_flags", timer_flags, true},
	{"random_flags", random_flags, true},
	{"socket_flags", socket_flags, true},
	{"message_flags", message_flags, true},
	{"clone_flags", clone_flags, true},
	{"epoll_events", epoll_events, true},
	{"poll_events", poll_events, true},
	{"signal_flags", signal_flags, true},
	{"stack_flags", stack_flags, true},
	{"whence", whences, false},
	{"advice", advices, false},
	{"fcntl", fcntl_commands, false},
	{"ioctl", ioctls, false},
	{"clock", clocks, false},
	{"sigmask_how", sigmask_hows, false},
	{"itimer", itimers, false},
	{"family", families, false},
	{"shutdown", shutdowns, false},
	{"socket_level", levels, false},
	{"epoll_operation", epoll_operations, false},
	{"resource", resources, false},
	{"arch_prctl", arch_codes, false},
	{"epoll_flags", epoll_flags, true},
	{"prctl", prctls, false},
	{"futex_command", futex_commands, false},
	{"socket_type_name", socket_types, false},
	{"socket_option_name", socket_options, false},
	{"tcp_option_name", tcp_options, false},
};

const struct trace_name *trace_names(const char *kind, size_t len, bool *flags)
{
	for (unsigned i = 0; i < array_size(lists); i++)
		if (strncmp(lists[i].kind, kind, len) == 0 && lists[i].kind[len] == '\0') {
			*flags = lists[i].flags;
			return lists[i].names;
		}
	return NULL;
}

void trace_show_one(struct text *t, const struct trace_name *list, unsigned long value)
{
	for (; list->name; list++)
		if (list->value == value) {
			text_format(t, "%s", list->name);
			return;
		}
	text_format(t, "%#lx", value);
}

void trace_show_flags(struct text *t, const struct trace_name *list, unsigned long value)
{
	bool first = true;
	for (; list->name; list++)
		if (list->value && (value & list->value) == list->value) {
			text_format(t, "%s%s", first ? "" : "|", list->name);
			value &= ~list->value;
			first = false;
		}
	if (value || first)
		text_format(t, first ? value ? "%#lx" : "%lu" : "|%#lx", value);
}

const char *trace_signal_name(int signal)
{
	static const char *const names[] = {"SIG0", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL",
		"SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV",
		"SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT",
		"SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ",
		"SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS"};
	static char text[24];

	if (signal >= 0 && signal < (int)array_size(names))
		return names[signal];
	if (signal == 32)
		return "SIGRTMIN";
	snprintf(text, sizeof(text), "SIGRT_%d", signal - 32);
	return text;
}
