/* mote.trace=syscall: lines as strace writes them for the same calls. */

#include "abi/linux/errno.h"
#include "kernel/arch/host/host.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/syscall/trace.c"
#include "kernel/syscall/trace_errors.c"
#include "kernel/syscall/trace_names.c"
#include "kernel/syscall/trace_sockets.c"
#include "kernel/syscall/trace_structs.c"
#include "kernel/syscall/trace_values.c"

struct process process;

const char *signal_name(int signal)
{
	return signal == SIGUSR1 ? "SIGUSR1" : signal == SIGTERM ? "SIGTERM" : "SIG?";
}

static char last[2048];

static void sink(const char *text, size_t len)
{
	assert(len < sizeof(last));
	memcpy(last, text, len);
	last[len] = '\0';
}

static const char *signature_of(const char *name)
{
	static const struct {
		const char *name, *signature;
	} calls[] = {
#define CALL(name, x86_64, arm64, flags, signature) {#name, signature},
#define ABSENT(name, x86_64, arm64, signature) {#name, signature},
#define MISSING(name, x86_64, arm64, signature) {#name, signature},
#include "kernel/syscall/table.def"
#undef CALL
#undef ABSENT
#undef MISSING
	};
	for (unsigned i = 0; i < array_size(calls); i++)
		if (strcmp(calls[i].name, name) == 0)
			return calls[i].signature;
	panic("no call %s", name);
}

#define ARGS(...) ((struct syscall_args){.a = {__VA_ARGS__}})
#define AT(x) ((unsigned long)(uintptr_t)(x))

static void expect(
	const char *name, struct syscall_args args, long result, int restart, const char *line)
{
	struct trace *t = trace_begin(name, signature_of(name), &args, false);
	trace_end(t, &args, result, restart);
	if (strcmp(last, line) != 0)
		panic("got      %sexpected %s", last, line);
}

static void check_files(void)
{
	expect("openat", ARGS((unsigned)AT_FDCWD, AT("/etc/ld.so.cache"), O_RDONLY | O_CLOEXEC, 7),
		3, 0, "openat(AT_FDCWD, \"/etc/ld.so.cache\", O_RDONLY|O_CLOEXEC) = 3\n");
	expect("openat", ARGS(5, AT("f\n"), O_RDWR | O_CREAT, 0644), -ENOENT, 0,
		"openat(5, \"f\\n\", O_RDWR|O_CREAT, 0644)  = -1 ENOENT (No such file or "
		"directory)\n");
	expect("close", ARGS(3), 0, 0, "close(3)                                = 0\n");
	expect("read", ARGS(0, AT("abc"), 10), 3, 0,
		"read(0, \"abc\", 10)                      = 3\n");
	expect("write", ARGS(1, AT("\1x\0002"), 4), 4, 0,
		"write(1, \"\\1x\\0002\", 4)                 = 4\n");
	expect("write", ARGS(1, 0x10, 4), -EFAULT, 0,
		"write(1, 0x10, 4)                       = -1 EFAULT (Bad address)\n");
	expect("access", ARGS(AT("/x"), 0), 0, 0,
		"access(\"/x\", F_OK)                      = 0\n");
	const int fds[2] = {3, 4};
	expect("pipe2", ARGS(AT(fds), O_CLOEXEC), 0, 0,
		"pipe2([3, 4], O_CLOEXEC)                = 0\n");
	expect("fcntl", ARGS(3, F_SETFL, O_RDWR | O_NONBLOCK), 0, 0,
		"fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK)    = 0\n");
	expect("fcntl", ARGS(3, F_GETFD, 77), 1, 0,
		"fcntl(3, F_GETFD)                       = 1\n");
}

static void check_memory(void)
{
	expect("mmap",
		ARGS(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (unsigned)-1, 0),
		0x7f0000001000, 0,
		"mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = "
		"0x7f0000001000\n");
	expect("brk", ARGS(0), 0x55555000, 0,
		"brk(NULL)                               = 0x55555000\n");
	expect("futex", ARGS(0x7f00, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1), 0, 0,
		"futex(0x7f00, FUTEX_WAKE_PRIVATE, 1)    = 0\n");
	expect("futex", ARGS(0x7f00, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2, 0), -EINTR, ERESTARTSYS,
		"futex(0x7f00, FUTEX_WAIT_PRIVATE, 2, NULL) = ? ERESTARTSYS (To be restarted if "
		"SA_RESTART is set)\n");
	expect("rseq", ARGS(0x7f00, 32, 0, 0x53053053), -ENOSYS, 0,
		"rseq(0x7f00, 0x20, 0, 0x53053053)       = -1 ENOSYS (Function not implemented)\n");
}

static void check_structures(void)
{
	static const uint8_t address[16] = {AF_INET, 0, 0x1f, 0x90, 127, 0, 0, 1};
	const struct linux_timespec t = {1, 500};
	const struct linux_epoll_event e = {EPOLLIN | EPOLLET, 9};
	const uint64_t set = signal_bit(SIGUSR1) | signal_bit(SIGTERM);
	const struct pollfd p = {3, POLLIN, POLLIN};
	expect("bind", ARGS(3, AT(address), 16), 0, 0,
		"bind(3, {sa_family=AF_INET, sin_port=htons(8080), "
		"sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0\n");
	expect("nanosleep", ARGS(AT(&t), 0), 0, 0,
		"nanosleep({tv_sec=1, tv_nsec=500}, NULL) = 0\n");
	expect("epoll_ctl", ARGS(5, EPOLL_CTL_ADD, 3, AT(&e)), 0, 0,
		"epoll_ctl(5, EPOLL_CTL_ADD, 3, {events=EPOLLIN|EPOLLET, data={u32=9, u64=9}}) = "
		"0\n");
	expect("rt_sigprocmask", ARGS(SIG_BLOCK, AT(&set), 0, 8), 0, 0,
		"rt_sigprocmask(SIG_BLOCK, [USR1 TERM], NULL, 8) = 0\n");
	expect("poll", ARGS(AT(&p), 1, 0), 1, 0,
		"poll([{fd=3, events=POLLIN}], 1, 0)     = 1 ([{fd=3, revents=POLLIN}])\n");
	expect("poll", ARGS(AT(&p), 1, 0), 0, 0,
		"poll([{fd=3, events=POLLIN}], 1, 0)     = 0 (Timeout)\n");
	expect("setsockopt", ARGS(3, SOL_SOCKET, SO_REUSEADDR, AT(&(int){1}), 4), 0, 0,
		"setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0\n");
}

/* Every signature of the table with arguments that point nowhere: shown somehow, and the line ends. */
static void check_all(void)
{
	static const char *const signatures[] = {
#define CALL(name, x86_64, arm64, flags, signature) signature,
#define ABSENT(name, x86_64, arm64, signature) signature,
#define MISSING(name, x86_64, arm64, signature) signature,
#include "kernel/syscall/table.def"
#undef CALL
#undef ABSENT
#undef MISSING
	};
	static const unsigned long values[] = {0, 8, ~0ul};
	static const long results[] = {0, 5, -EFAULT};
	for (unsigned i = 0; i < array_size(signatures) * 3; i++) {
		unsigned long v = values[i % 3];
		const struct syscall_args args = ARGS(v, v, v, v, v, v);
		struct trace *t = trace_begin("call", signatures[i / 3], &args, false);
		trace_end(t, &args, results[i % 3], 0);
		assert(string_starts_with(last, "call(") && strchr(last, '\n'));
	}
}

int main(void)
{
	host_memory_init(64ul << 20);
	log_set_sink(sink);
	check_files();
	check_memory();
	check_structures();
	check_all();
	return 0;
}
