/* Arguments of traced calls, kind by kind (the first word of each in table.def). */
#include "kernel/syscall/trace_values.h"

#include "abi/linux/fcntl.h"
#include "abi/linux/resource.h"
#include "abi/linux/sched.h"
#include "abi/linux/socket.h"
#include "abi/linux/time.h"
#include "kernel/lib/endian.h"
#include "kernel/lib/string.h"
#include "kernel/proc/signal.h"

#define DATA_SHOWN 32u /* bytes of a buffer, as strace */
#define ITEMS_SHOWN 16u

static unsigned long value_of(const struct trace_value *v)
{
	return v->args->a[v->index];
}

static unsigned long next_of(const struct trace_value *v)
{
	return v->index < 5 ? v->args->a[v->index + 1] : 0;
}

static unsigned long last_of(const struct trace_value *v)
{
	return v->index > 0 ? v->args->a[v->index - 1] : 0;
}

static bool failed(const struct trace_value *v)
{
	return v->result < 0 && v->result >= -4095;
}

/* --- numbers --- */

static void show_int(const struct trace_value *v)
{
	text_add(v->text, "%d", (int)value_of(v));
}

static void show_uint(const struct trace_value *v)
{
	text_add(v->text, "%u", (unsigned)value_of(v));
}

static void show_long(const struct trace_value *v)
{
	text_add(v->text, "%ld", (long)value_of(v));
}

static void show_size(const struct trace_value *v)
{
	text_add(v->text, "%lu", value_of(v));
}

static void show_hex(const struct trace_value *v)
{
	text_add(v->text, value_of(v) ? "%#lx" : "%lu", value_of(v));
}

static void show_pointer(const struct trace_value *v)
{
	text_add(v->text, value_of(v) ? "%#lx" : "NULL", value_of(v));
}

static void show_dirfd(const struct trace_value *v)
{
	int fd = (int)value_of(v);
	text_add(v->text, fd == AT_FDCWD ? "AT_FDCWD" : "%d", fd);
}

static void show_mode(const struct trace_value *v)
{
	text_add(v->text, "%#o", (unsigned)value_of(v));
}

static void show_signal(const struct trace_value *v)
{
	text_add(v->text, "%s", signal_name((int)value_of(v)));
}

static void show_access(const struct trace_value *v)
{
	bool flags;
	if (value_of(v) == F_OK)
		text_add(v->text, "F_OK");
	else
		trace_show_flags(v->text, trace_names("access", 6, &flags), value_of(v));
}

static void show_open_flags(const struct trace_value *v)
{
	static const char *const modes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};
	bool flags;
	unsigned long value = value_of(v);
	text_add(v->text, "%s", modes[value & O_ACCMODE]);
	if (value & ~(unsigned long)O_ACCMODE) {
		text_add(v->text, "|");
		trace_show_flags(v->text, trace_names("open_flags", 10, &flags),
			value & ~(unsigned long)O_ACCMODE & UINT32_MAX);
	}
}

/* --- text and data --- */

/* A C string literal of n bytes. */
static void add_quoted(struct text *t, const uint8_t *s, size_t n)
{
	static const char special[] = "\n\t\r\v\f\"\\", letters[] = "ntrvf\"\\";
	text_add(t, "\"");
	for (size_t i = 0; i < n; i++) {
		const char *at = s[i] ? strchr(special, s[i]) : NULL;
		bool digit_follows = i + 1 < n && s[i + 1] >= '0' && s[i + 1] <= '9';
		if (at)
			text_add(t, "\\%c", letters[at - special]);
		else if (s[i] >= ' ' && s[i] < 127)
			text_add(t, "%c", s[i]);
		else
			text_add(t, digit_follows ? "\\%03o" : "\\%o", s[i]);
	}
	text_add(t, "\"");
}

static void show_bytes(struct text *t, uintptr_t at, size_t n)
{
	uint8_t bytes[DATA_SHOWN];
	size_t shown = min(n, (size_t)DATA_SHOWN);
	if (copy_in(bytes, user_at(at), shown) < 0) {
		text_add(t, "%#lx", at);
		return;
	}
	add_quoted(t, bytes, shown);
	if (shown < n)
		text_add(t, "...");
}

static void show_string(struct text *t, uintptr_t at)
{
	char s[256];
	if (!at) {
		text_add(t, "NULL");
		return;
	}
	long n = user_string(s, user_at(at), sizeof(s));
	if (n >= 0)
		add_quoted(t, (uint8_t *)s, (size_t)n);
	else if (copy_in(s, user_at(at), sizeof(s)) == 0)
		add_quoted(t, (uint8_t *)s, sizeof(s)), text_add(t, "...");
	else
		text_add(t, "%#lx", at);
}

static void show_path(const struct trace_value *v)
{
	show_string(v->text, value_of(v));
}

static void show_data(const struct trace_value *v)
{
	show_bytes(v->text, value_of(v), next_of(v));
}

static void show_out_data(const struct trace_value *v)
{
	if (failed(v))
		show_pointer(v);
	else
		show_bytes(v->text, value_of(v), (size_t)v->result);
}

static void show_out_path(const struct trace_value *v)
{
	if (failed(v))
		show_pointer(v);
	else
		show_path(v);
}

/* total: how many bytes count, over all pieces. */
static void show_pieces(const struct trace_value *v, size_t total)
{
	unsigned long n = next_of(v);
	text_add(v->text, "[");
	for (unsigned i = 0; i < min(n, (unsigned long)ITEMS_SHOWN); i++) {
		struct linux_iovec iov;
		if (copy_in(&iov, user_at(value_of(v) + i * sizeof(iov)), sizeof(iov)) < 0)
			break;
		size_t here = min(iov.iov_len, total);
		total -= here;
		text_add(v->text, "%s{iov_base=", i ? ", " : "");
		show_bytes(v->text, iov.iov_base, here);
		text_add(v->text, ", iov_len=%lu}", iov.iov_len);
	}
	text_add(v->text, n > ITEMS_SHOWN ? ", ...]" : "]");
}

static void show_iovec(const struct trace_value *v)
{
	show_pieces(v, SIZE_MAX);
}

static void show_out_iovec(const struct trace_value *v)
{
	if (failed(v))
		show_pointer(v);
	else
		show_pieces(v, (size_t)v->result);
}

static void show_strings(const struct trace_value *v)
{
	text_add(v->text, "[");
	for (unsigned i = 0;; i++) {
		uintptr_t at;
		if (copy_in(&at, user_at(value_of(v) + i * sizeof(at)), sizeof(at)) < 0 || !at)
			break;
		text_add(v->text, i ? ", " : "");
		if (i == ITEMS_SHOWN) {
			text_add(v->text, "...");
			break;
		}
		show_string(v->text, at);
	}
	text_add(v->text, "]");
}

static void show_environment(const struct trace_value *v)
{
	unsigned n = 0;
	uintptr_t at;
	while (n < 4096 && copy_in(&at, user_at(value_of(v) + n * sizeof(at)), sizeof(at)) == 0 &&
		at)
		n++;
	text_add(v->text, "%#lx /* %u vars */", value_of(v), n);
}

/* --- structures: fetched, or shown as a pointer --- */

static bool fetch(const struct trace_value *v, void *to, size_t n)
{
	if (value_of(v) && !failed(v) && copy_in(to, user_at(value_of(v)), n) == 0)
		return true;
	show_pointer(v);
	return false;
}

static void add_timespec(struct text *t, const struct linux_timespec *s)
{
	text_add(t, "{tv_sec=%ld, tv_nsec=%ld}", (long)s->tv_sec, (long)s->tv_nsec);
}

static void show_timespec(const struct trace_value *v)
{
	struct linux_timespec s;
	if (fetch(v, &s, sizeof(s)))
		add_timespec(v->text, &s);
}

static void show_timespec2(const struct trace_value *v)
{
	struct linux_timespec s[2];
	if (!fetch(v, s, sizeof(s)))
		return;
	text_add(v->text, "[");
	add_timespec(v->text, &s[0]);
	text_add(v->text, ", ");
	add_timespec(v->text, &s[1]);
	text_add(v->text, "]");
}

static void show_timeval(const struct trace_value *v)
{
	struct linux_timeval s;
	if (fetch(v, &s, sizeof(s)))
		text_add(v->text, "{tv_sec=%ld, tv_usec=%ld}", (long)s.tv_sec, (long)s.tv_usec);
}

static void show_itimerspec(const struct trace_value *v)
{
	struct linux_itimerspec s;
	if (!fetch(v, &s, sizeof(s)))
		return;
	text_add(v->text, "{it_interval=");
	add_timespec(v->text, &s.it_interval);
	text_add(v->text, ", it_value=");
	add_timespec(v->text, &s.it_value);
	text_add(v->text, "}");
}

static void show_itimerval(const struct trace_value *v)
{
	struct linux_itimerval s;
	if (fetch(v, &s, sizeof(s)))
		text_add(v->text,
			"{it_interval={tv_sec=%ld, tv_usec=%ld}, it_value={tv_sec=%ld, "
			"tv_usec=%ld}}",
			(long)s.it_interval.tv_sec, (long)s.it_interval.tv_usec,
			(long)s.it_value.tv_sec, (long)s.it_value.tv_usec);
}

static void add_sigset(struct text *t, uint64_t set)
{
	bool invert =
		set >> 34 == UINT64_MAX >> 34; /* nearly all of them: what is missing is shorter */
	uint64_t shown = invert ? ~set : set;
	text_add(t, invert ? "~[" : "[");
	for (uint64_t left = shown; left; left &= left - 1) {
		const char *name = signal_name(__builtin_ctzll(left) + 1);
		text_add(t, "%s%s", left == shown ? "" : " ", name + 3);
	}
	text_add(t, "]");
}

static void show_sigset(const struct trace_value *v)
{
	uint64_t set;
	if (fetch(v, &set, sizeof(set)))
		add_sigset(v->text, set);
}

static void show_sigaction(const struct trace_value *v)
{
	struct linux_sigaction a;
	bool flags;
	if (!fetch(v, &a, sizeof(a)))
		return;
	text_add(v->text, "{sa_handler=");
	if (a.handler <= SIG_IGN)
		text_add(v->text, a.handler == SIG_DFL ? "SIG_DFL" : "SIG_IGN");
	else
		text_add(v->text, "%#lx", a.handler);
	text_add(v->text, ", sa_mask=");
	add_sigset(v->text, a.mask);
	text_add(v->text, ", sa_flags=");
	trace_show_flags(v->text, trace_names("signal_flags", 12, &flags), a.flags);
	if (a.flags & SA_RESTORER)
		text_add(v->text, ", sa_restorer=%#lx", a.restorer);
	text_add(v->text, "}");
}

static void show_stack(const struct trace_value *v)
{
	struct linux_stack s;
	bool flags;
	if (!fetch(v, &s, sizeof(s)))
		return;
	text_add(v->text, "{ss_sp=%#lx, ss_flags=", s.sp);
	trace_show_flags(v->text, trace_names("stack_flags", 11, &flags), (unsigned)s.flags);
	text_add(v->text, ", ss_size=%lu}", s.size);
}

static const char *file_kind(unsigned mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "S_IFREG";
	case S_IFDIR:
		return "S_IFDIR";
	case S_IFCHR:
		return "S_IFCHR";
	case S_IFBLK:
		return "S_IFBLK";
	case S_IFIFO:
		return "S_IFIFO";
	case S_IFLNK:
		return "S_IFLNK";
	case S_IFSOCK:
		return "S_IFSOCK";
	default:
		return "0";
	}
}

static void show_stat(const struct trace_value *v)
{
	struct linux_stat st;
	if (!fetch(v, &st, sizeof(st)))
		return;
	text_add(v->text, "{st_mode=%s|%#o, ", file_kind(st.st_mode), st.st_mode & 07777);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		text_add(v->text, "st_rdev=makedev(%#x, %#x), ...}",
			(unsigned)(st.st_rdev >> 8 & 0xfff),
			(unsigned)((st.st_rdev & 0xff) | (st.st_rdev >> 12 & 0xfff00)));
	else
		text_add(v->text, "st_size=%ld, ...}", (long)st.st_size);
}

static void show_statx(const struct trace_value *v)
{
	struct {
		uint32_t head[7];
		uint16_t mode, pad;
		uint64_t ino, size;
	} x;
	if (fetch(v, &x, sizeof(x)))
		text_add(v->text, "{stx_mode=%s|%#o, stx_size=%lu, ...}", file_kind(x.mode),
			x.mode & 07777, x.size);
}

static void show_fds(const struct trace_value *v)
{
	int fds[2];
	if (fetch(v, fds, sizeof(fds)))
		text_add(v->text, "[%d, %d]", fds[0], fds[1]);
}

static void show_int_at(const struct trace_value *v)
{
	int value;
	if (fetch(v, &value, sizeof(value)))
		text_add(v->text, "[%d]", value);
}

static void show_long_at(const struct trace_value *v)
{
	long value;
	if (fetch(v, &value, sizeof(value)))
		text_add(v->text, "[%ld]", value);
}

static void show_mask(const struct trace_value *v)
{
	uint64_t mask;
	if (!fetch(v, &mask, sizeof(mask)))
		return;
	text_add(v->text, "[");
	for (uint64_t left = mask; left; left &= left - 1)
		text_add(v->text, "%s%d", left == mask ? "" : " ", __builtin_ctzll(left));
	text_add(v->text, "]");
}

static void add_limit(struct text *t, const char *name, uint64_t value)
{
	text_add(t, "%s=", name);
	if (value == RLIM_INFINITY)
		text_add(t, "RLIM64_INFINITY");
	else if (value > 1024 && value % 1024 == 0)
		text_add(t, "%lu*1024", value / 1024);
	else
		text_add(t, "%lu", value);
}

static void show_limit(const struct trace_value *v)
{
	struct limit l;
	if (!fetch(v, &l, sizeof(l)))
		return;
	add_limit(v->text, "{rlim_cur", l.current);
	add_limit(v->text, ", rlim_max", l.max);
	text_add(v->text, "}");
}

static void show_uname(const struct trace_value *v)
{
	struct linux_utsname u;
	if (!fetch(v, &u, sizeof(u)))
		return;
	u.nodename[64] = '\0';
	text_add(v->text, "{sysname=\"Linux\", nodename=\"%s\", ...}", u.nodename);
}

static void show_sigevent(const struct trace_value *v)
{
	struct linux_sigevent e;
	if (fetch(v, &e, sizeof(e)))
		text_add(v->text, "{sigev_signo=%s, sigev_notify=%d, sigev_tid=%d}",
			signal_name(e.signal), e.notify, e.tid);
}

static void show_clone_args(const struct trace_value *v)
{
	struct linux_clone_args c;
	bool flags;
	if (!fetch(v, &c, CLONE_ARGS_SIZE_VER0))
		return;
	text_add(v->text, "{flags=");
	trace_show_flags(v->text, trace_names("clone_flags", 11, &flags), c.flags);
	text_add(v->text,
		", child_tid=%#lx, parent_tid=%#lx, exit_signal=%lu, stack=%#lx, stack_size=%#lx, "
		"tls=%#lx}",
		c.child_tid, c.parent_tid, c.exit_signal, c.stack, c.stack_size, c.tls);
}

/* --- by the command of the call --- */

static void show_futex(const struct trace_value *v)
{
	bool flags;
	unsigned long op = value_of(v);
	trace_show_one(v->text, trace_names("futex_command", 13, &flags), op & FUTEX_COMMAND_MASK);
	text_add(v->text, "%s%s", op & FUTEX_PRIVATE_FLAG ? "_PRIVATE" : "",
		op & FUTEX_CLOCK_REALTIME ? "|FUTEX_CLOCK_REALTIME" : "");
}

static unsigned futex_command(const struct trace_value *v)
{
	return (unsigned)v->args->a[1] & FUTEX_COMMAND_MASK;
}

static void show_futex_timeout(const struct trace_value *v)
{
	unsigned command = futex_command(v);
	if (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET)
		show_timespec(v);
	else
		show_uint(v);
}

static void show_fcntl_argument(const struct trace_value *v)
{
	struct linux_flock l;
	switch ((int)last_of(v)) {
	case F_SETFD:
		text_add(v->text, value_of(v) == 1 ? "FD_CLOEXEC" : "%lu", value_of(v));
		break;
	case F_SETFL:
		show_open_flags(v);
		break;
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		if (fetch(v, &l, sizeof(l)))
			text_add(v->text, "{l_type=%d, l_whence=%d, l_start=%ld, l_len=%ld}",
				l.l_type, l.l_whence, (long)l.l_start, (long)l.l_len);
		break;
	default:
		show_long(v);
	}
}

/* --- sockets --- */

static void show_socket_type(const struct trace_value *v)
{
	bool flags;
	unsigned long type = value_of(v);
	trace_show_one(v->text, trace_names("socket_type_name", 16, &flags), type & SOCK_TYPE_MASK);
	if (type & ~(unsigned long)SOCK_TYPE_MASK) {
		text_add(v->text, "|");
		trace_show_flags(v->text, trace_names("socket_flags", 12, &flags),
			type & ~(unsigned long)SOCK_TYPE_MASK);
	}
}

static void show_socket_option(const struct trace_value *v)
{
	bool flags;
	if (last_of(v) == SOL_SOCKET)
		trace_show_one(v->text, trace_names("socket_option_name", 18, &flags), value_of(v));
	else if (last_of(v) == SOL_TCP)
		trace_show_one(v->text, trace_names("tcp_option_name", 15, &flags), value_of(v));
	else
		show_int(v);
}

static void show_option_value(const struct trace_value *v)
{
	if (next_of(v) == sizeof(int))
		show_int_at(v);
	else
		show_data(v);
}

static void add_address(struct text *t, const uint8_t *a, size_t n)
{
	unsigned family = n >= 2 ? a[0] | (unsigned)a[1] << 8 : 0;
	if (family == AF_INET && n >= 8) {
		text_add(t,
			"{sa_family=AF_INET, sin_port=htons(%u), "
			"sin_addr=inet_addr(\"%u.%u.%u.%u\")}",
			load_be16(a + 2), a[4], a[5], a[6], a[7]);
	} else if (family == AF_INET6 && n >= 24) {
		text_add(t,
			"{sa_family=AF_INET6, sin6_port=htons(%u), sin6_addr=", load_be16(a + 2));
		for (unsigned i = 0; i < 8; i++)
			text_add(t, "%s%x", i ? ":" : "", load_be16(a + 8 + 2 * i));
		text_add(t, "}");
	} else if (family == AF_UNIX && n > 2) {
		text_add(t, "{sa_family=AF_UNIX, sun_path=%s", a[2] ? "" : "@");
		size_t skip = a[2] ? 2 : 3;
		add_quoted(t, a + skip, strnlen((const char *)a + skip, n - skip));
		text_add(t, "}");
	} else {
		text_add(t, "{sa_family=%u, ...}", family);
	}
}

static void show_address(const struct trace_value *v, size_t n)
{
	uint8_t bytes[128];
	n = min(n, sizeof(bytes));
	if (!value_of(v) || failed(v) || copy_in(bytes, user_at(value_of(v)), n) < 0)
		show_pointer(v);
	else
		add_address(v->text, bytes, n);
}

static void show_sockaddr(const struct trace_value *v)
{
	show_address(v, next_of(v));
}

static void show_out_sockaddr(const struct trace_value *v)
{
	uint32_t n = 0;
	if (next_of(v) && copy_in(&n, user_at(next_of(v)), sizeof(n)) < 0)
		n = 0;
	show_address(v, n);
}

static void show_message(const struct trace_value *v)
{
	struct linux_msghdr m;
	if (!fetch(v, &m, sizeof(m)))
		return;
	text_add(v->text, "{msg_name=%#lx, msg_namelen=%u, msg_iov=", m.msg_name, m.msg_namelen);
	const struct syscall_args inner = {.a = {m.msg_iov, m.msg_iovlen}};
	const struct trace_value pieces = {.text = v->text, .args = &inner, .index = 0};
	show_pieces(&pieces, v->result > 0 ? (size_t)v->result : SIZE_MAX);
	text_add(v->text, ", msg_iovlen=%lu, msg_controllen=%lu, msg_flags=%#x}", m.msg_iovlen,
		m.msg_controllen, m.msg_flags);
}

/* --- waiting for files --- */

struct pollfd {
	int fd;
	int16_t events, revents;
};

/* result: those with an event, and it; otherwise all, and what is asked. */
static void show_pollfds(struct text *t, uintptr_t at, unsigned long n, bool result)
{
	bool flags, first = true;
	const struct trace_name *names = trace_names("poll_events", 11, &flags);
	text_add(t, "[");
	for (unsigned i = 0; i < min(n, (unsigned long)ITEMS_SHOWN); i++) {
		struct pollfd p;
		if (copy_in(&p, user_at(at + i * sizeof(p)), sizeof(p)) < 0)
			break;
		if (result && !p.revents)
			continue;
		text_add(t, "%s{fd=%d", first ? "" : ", ", p.fd);
		first = false;
		if (p.fd >= 0) {
			text_add(t, result ? ", revents=" : ", events=");
			trace_show_flags(t, names, (uint16_t)(result ? p.revents : p.events));
		}
		text_add(t, "}");
	}
	text_add(t, n > ITEMS_SHOWN ? ", ...]" : "]");
}

static void show_poll(const struct trace_value *v)
{
	show_pollfds(v->text, value_of(v), next_of(v), false);
}

static bool get_fd_set(uintptr_t at, unsigned n, uint64_t words[16])
{
	return at && copy_in(words, user_at(at), div_round_up(n, 64u) * 8) == 0;
}

static void add_fd_set(struct text *t, const uint64_t words[16], unsigned n)
{
	bool first = true;
	text_add(t, "[");
	for (unsigned fd = 0; fd < n; fd++)
		if (words[fd / 64] >> fd % 64 & 1) {
			text_add(t, "%s%u", first ? "" : " ", fd);
			first = false;
		}
	text_add(t, "]");
}

static void show_fd_set(const struct trace_value *v)
{
	unsigned n = min((unsigned)v->args->a[0], 1024u);
	uint64_t words[16];
	if (get_fd_set(value_of(v), n, words))
		add_fd_set(v->text, words, n);
	else
		show_pointer(v);
}

/* "(in [3], out [4])" */
static void show_select_result(struct text *t, const struct syscall_args *args)
{
	static const char *const names[] = {"in", "out", "except"};
	unsigned n = min((unsigned)args->a[0], 1024u);
	const char *before = " (";
	for (unsigned set = 0; set < 3; set++) {
		uint64_t words[16], any = 0;
		if (!get_fd_set(args->a[1 + set], n, words))
			continue;
		for (unsigned i = 0; i < div_round_up(n, 64u); i++)
			any |= words[i];
		if (!any)
			continue;
		text_add(t, "%s%s ", before, names[set]);
		add_fd_set(t, words, n);
		before = ", ";
	}
	text_add(t, *before == ',' ? ")" : "");
}

void trace_show_ready(
	const char *kind, struct text *t, const struct syscall_args *args, long result)
{
	bool is_poll = string_starts_with(kind, "poll"),
	     is_select = string_starts_with(kind, "select");
	if (result == 0 && (is_poll || is_select))
		text_add(t, " (Timeout)");
	if (result > 0 && is_select)
		show_select_result(t, args);
	if (result <= 0 || !is_poll)
		return;
	text_add(t, " (");
	show_pollfds(t, args->a[0], args->a[1], true);
	text_add(t, ")");
}

static void add_epoll_event(const struct trace_value *v, const struct linux_epoll_event *e)
{
	bool flags;
	text_add(v->text, "{events=");
	trace_show_flags(v->text, trace_names("epoll_events", 12, &flags), e->events);
	text_add(v->text, ", data={u32=%u, u64=%lu}}", (unsigned)e->data, e->data);
}

static void show_epoll_event(const struct trace_value *v)
{
	struct linux_epoll_event e;
	if (fetch(v, &e, sizeof(e)))
		add_epoll_event(v, &e);
}

static void show_out_epoll_events(const struct trace_value *v)
{
	if (failed(v)) {
		show_pointer(v);
		return;
	}
	text_add(v->text, "[");
	for (unsigned i = 0; i < min((unsigned)v->result, ITEMS_SHOWN); i++) {
		struct linux_epoll_event e;
		if (copy_in(&e, user_at(value_of(v) + i * sizeof(e)), sizeof(e)) < 0)
			break;
		text_add(v->text, i ? ", " : "");
		add_epoll_event(v, &e);
	}
	text_add(v->text, v->result > (long)ITEMS_SHOWN ? ", ...]" : "]");
}

/* --- the table --- */

static const struct {
	const char *kind;
	void (*show)(const struct trace_value *v);
} kinds[] = {
	{"int", show_int},
	{"uint", show_uint},
	{"long", show_long},
	{"size", show_size},
	{"hex", show_hex},
	{"offset", show_hex},
	{"address", show_pointer},
	{"pointer", show_pointer},
	{"fd", show_int},
	{"dirfd", show_dirfd},
	{"path", show_path},
	{"out_path", show_out_path},
	{"data", show_data},
	{"out_data", show_out_data},
	{"iovec", show_iovec},
	{"out_iovec", show_out_iovec},
	{"mode", show_mode},
	{"open_mode", show_mode},
	{"open_flags", show_open_flags},
	{"access", show_access},
	{"signal", show_signal},
	{"argv", show_strings},
	{"envp", show_environment},
	{"timespec", show_timespec},
	{"out_timespec", show_timespec},
	{"timespec2", show_timespec2},
	{"timeval", show_timeval},
	{"out_timeval", show_timeval},
	{"itimerspec", show_itimerspec},
	{"out_itimerspec", show_itimerspec},
	{"itimerval", show_itimerval},
	{"out_itimerval", show_itimerval},
	{"sigset", show_sigset},
	{"out_sigset", show_sigset},
	{"sigaction", show_sigaction},
	{"out_sigaction", show_sigaction},
	{"stack", show_stack},
	{"out_stack", show_stack},
	{"out_stat", show_stat},
	{"out_statx", show_statx},
	{"out_fds", show_fds},
	{"out_int", show_int_at},
	{"out_uint", show_int_at},
	{"long_at", show_long_at},
	{"mask", show_mask},
	{"out_mask", show_mask},
	{"limit", show_limit},
	{"out_limit", show_limit},
	{"out_uname", show_uname},
	{"sigevent", show_sigevent},
	{"clone_args", show_clone_args},
	{"futex", show_futex},
	{"futex_second", show_pointer},
	{"futex_value3", show_hex},
	{"futex_value", show_uint},
	{"futex_timeout", show_futex_timeout},
	{"fcntl_argument", show_fcntl_argument},
	{"socket_type", show_socket_type},
	{"socket_option", show_socket_option},
	{"option_value", show_option_value},
	{"sockaddr", show_sockaddr},
	{"out_sockaddr", show_out_sockaddr},
	{"message", show_message},
	{"out_message", show_message},
	{"poll", show_poll},
	{"fd_set", show_fd_set},
	{"epoll_event", show_epoll_event},
	{"out_epoll_events", show_out_epoll_events},
};

static bool is(const char *kind, size_t len, const char *name)
{
	return strncmp(kind, name, len) == 0 && name[len] == '\0';
}

void trace_show(const char *kind, size_t len, const struct trace_value *v)
{
	for (unsigned i = 0; i < array_size(kinds); i++)
		if (is(kind, len, kinds[i].kind)) {
			kinds[i].show(v);
			return;
		}
	bool flags = false;
	const struct trace_name *names = trace_names(kind, len, &flags);
	unsigned long value = value_of(v) & UINT32_MAX;
	if (!names)
		show_hex(v);
	else if (flags)
		trace_show_flags(v->text, names, value);
	else
		trace_show_one(v->text, names, value);
}

bool trace_omits(const char *kind, size_t len, const struct trace_value *v)
{
	if (is(kind, len, "open_mode"))
		return !(last_of(v) & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)));
	if (is(kind, len, "fcntl_argument"))
		return last_of(v) == F_GETFD || last_of(v) == F_GETFL || last_of(v) == F_GETOWN ||
		       last_of(v) == F_GETPIPE_SZ || last_of(v) == F_GET_SEALS;
	if (is(kind, len, "futex_timeout"))
		return futex_command(v) == FUTEX_WAKE || futex_command(v) == FUTEX_WAKE_BITSET;
	if (is(kind, len, "futex_second"))
		return futex_command(v) < FUTEX_REQUEUE || futex_command(v) > FUTEX_WAKE_OP;
	if (is(kind, len, "futex_value3"))
		return futex_command(v) <= FUTEX_REQUEUE || futex_command(v) > FUTEX_WAKE_BITSET;
	return false;
}
