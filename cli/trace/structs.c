/* Arguments of traced calls that point to structures: times, signals, files, limits. */
#include "abi/linux/resource.h"
#include "abi/linux/sched.h"
#include "abi/linux/signal.h"
#include "abi/linux/time.h"
#include "cli/trace/show.h"

bool trace_fetch(const struct trace_value *v, void *to, size_t n)
{
	if (trace_argument(v) && !trace_failed(v) && trace_copy(to, trace_argument(v), n) == 0)
		return true;
	trace_show_pointer(v);
	return false;
}

static void add_timespec(struct text *t, const struct linux_timespec *s)
{
	text_format(t, "{tv_sec=%ld, tv_nsec=%ld}", (long)s->tv_sec, (long)s->tv_nsec);
}

void trace_show_timespec(const struct trace_value *v)
{
	struct linux_timespec s;
	if (trace_fetch(v, &s, sizeof(s)))
		add_timespec(v->text, &s);
}

static void show_timespec2(const struct trace_value *v)
{
	struct linux_timespec s[2];
	if (!trace_fetch(v, s, sizeof(s)))
		return;
	text_format(v->text, "[");
	add_timespec(v->text, &s[0]);
	text_format(v->text, ", ");
	add_timespec(v->text, &s[1]);
	text_format(v->text, "]");
}

static void show_timeval(const struct trace_value *v)
{
	struct linux_timeval s;
	if (trace_fetch(v, &s, sizeof(s)))
		text_format(v->text, "{tv_sec=%ld, tv_usec=%ld}", (long)s.tv_sec, (long)s.tv_usec);
}

static void show_itimerspec(const struct trace_value *v)
{
	struct linux_itimerspec s;
	if (!trace_fetch(v, &s, sizeof(s)))
		return;
	text_format(v->text, "{it_interval=");
	add_timespec(v->text, &s.it_interval);
	text_format(v->text, ", it_value=");
	add_timespec(v->text, &s.it_value);
	text_format(v->text, "}");
}

static void show_itimerval(const struct trace_value *v)
{
	struct linux_itimerval s;
	if (trace_fetch(v, &s, sizeof(s)))
		text_format(v->text,
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
	text_format(t, invert ? "~[" : "[");
	for (uint64_t left = shown; left; left &= left - 1) {
		const char *name = trace_signal_name(__builtin_ctzll(left) + 1);
		text_format(t, "%s%s", left == shown ? "" : " ", name + 3);
	}
	text_format(t, "]");
}

static void show_sigset(const struct trace_value *v)
{
	uint64_t set;
	if (trace_fetch(v, &set, sizeof(set)))
		add_sigset(v->text, set);
}

static void show_sigaction(const struct trace_value *v)
{
	struct linux_sigaction a;
	bool flags;
	if (!trace_fetch(v, &a, sizeof(a)))
		return;
	text_format(v->text, "{sa_handler=");
	if (a.handler <= SIG_IGN)
		text_format(v->text, a.handler == SIG_DFL ? "SIG_DFL" : "SIG_IGN");
	else
		text_format(v->text, "%#lx", a.handler);
	text_format(v->text, ", sa_mask=");
	add_sigset(v->text, a.mask);
	text_format(v->text, ", sa_flags=");
	trace_show_flags(v->text, trace_names("signal_flags", 12, &flags), a.flags);
	if (a.flags & SA_RESTORER)
		text_format(v->text, ", sa_restorer=%#lx", a.restorer);
	text_format(v->text, "}");
}

static void show_stack(const struct trace_value *v)
{
	struct linux_stack s;
	bool flags;
	if (!trace_fetch(v, &s, sizeof(s)))
		return;
	text_format(v->text, "{ss_sp=%#lx, ss_flags=", s.sp);
	trace_show_flags(v->text, trace_names("stack_flags", 11, &flags), (unsigned)s.flags);
	text_format(v->text, ", ss_size=%lu}", s.size);
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
	if (!trace_fetch(v, &st, sizeof(st)))
		return;
	text_format(v->text, "{st_mode=%s|%#o, ", file_kind(st.st_mode), st.st_mode & 07777);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		text_format(v->text, "st_rdev=makedev(%#x, %#x), ...}",
			(unsigned)(st.st_rdev >> 8 & 0xfff),
			(unsigned)((st.st_rdev & 0xff) | (st.st_rdev >> 12 & 0xfff00)));
	else
		text_format(v->text, "st_size=%ld, ...}", (long)st.st_size);
}

static void show_statx(const struct trace_value *v)
{
	struct {
		uint32_t head[7];
		uint16_t mode, pad;
		uint64_t ino, size;
	} x;
	if (trace_fetch(v, &x, sizeof(x)))
		text_format(v->text, "{stx_mode=%s|%#o, stx_size=%lu, ...}", file_kind(x.mode),
			x.mode & 07777, x.size);
}

static void show_fds(const struct trace_value *v)
{
	int fds[2];
	if (trace_fetch(v, fds, sizeof(fds)))
		text_format(v->text, "[%d, %d]", fds[0], fds[1]);
}

void trace_show_int_at(const struct trace_value *v)
{
	int value;
	if (trace_fetch(v, &value, sizeof(value)))
		text_format(v->text, "[%d]", value);
}

static void show_long_at(const struct trace_value *v)
{
	long value;
	if (trace_fetch(v, &value, sizeof(value)))
		text_format(v->text, "[%ld]", value);
}

static void show_mask(const struct trace_value *v)
{
	uint64_t mask;
	if (!trace_fetch(v, &mask, sizeof(mask)))
		return;
	text_format(v->text, "[");
	for (uint64_t left = mask; left; left &= left - 1)
		text_format(v->text, "%s%d", left == mask ? "" : " ", __builtin_ctzll(left));
	text_format(v->text, "]");
}

static void add_limit(struct text *t, const char *name, uint64_t value)
{
	text_format(t, "%s=", name);
	if (value == RLIM_INFINITY)
		text_format(t, "RLIM64_INFINITY");
	else if (value > 1024 && value % 1024 == 0)
		text_format(t, "%lu*1024", value / 1024);
	else
		text_format(t, "%lu", value);
}

static void show_limit(const struct trace_value *v)
{
	struct {
		uint64_t current, max;
	} l;
	if (!trace_fetch(v, &l, sizeof(l)))
		return;
	add_limit(v->text, "{rlim_cur", l.current);
	add_limit(v->text, ", rlim_max", l.max);
	text_format(v->text, "}");
}

static void show_uname(const struct trace_value *v)
{
	struct linux_utsname u;
	if (!trace_fetch(v, &u, sizeof(u)))
		return;
	u.nodename[64] = '\0';
	text_format(v->text, "{sysname=\"Linux\", nodename=\"%s\", ...}", u.nodename);
}

static void show_sigevent(const struct trace_value *v)
{
	struct linux_sigevent e;
	if (trace_fetch(v, &e, sizeof(e)))
		text_format(v->text, "{sigev_signo=%s, sigev_notify=%d, sigev_tid=%d}",
			trace_signal_name(e.signal), e.notify, e.tid);
}

static void show_clone_args(const struct trace_value *v)
{
	struct linux_clone_args c;
	bool flags;
	if (!trace_fetch(v, &c, CLONE_ARGS_SIZE_VER0))
		return;
	text_format(v->text, "{flags=");
	trace_show_flags(v->text, trace_names("clone_flags", 11, &flags), c.flags);
	text_format(v->text,
		", child_tid=%#lx, parent_tid=%#lx, exit_signal=%lu, stack=%#lx, stack_size=%#lx, "
		"tls=%#lx}",
		c.child_tid, c.parent_tid, c.exit_signal, c.stack, c.stack_size, c.tls);
}

const struct trace_kind trace_struct_kinds[] = {
	{"timespec", trace_show_timespec},
	{"out_timespec", trace_show_timespec},
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
	{"out_int", trace_show_int_at},
	{"out_uint", trace_show_int_at},
	{"long_at", show_long_at},
	{"mask", show_mask},
	{"out_mask", show_mask},
	{"limit", show_limit},
	{"out_limit", show_limit},
	{"out_uname", show_uname},
	{"sigevent", show_sigevent},
	{"clone_args", show_clone_args},
	{NULL, NULL},
};
