/* Arguments of traced calls, kind by kind (the first word of each in table.def): numbers, text, data. */
#include "cli/trace/values.h"

#include "abi/linux/fcntl.h"
#include "abi/linux/prctl.h"
#include "abi/linux/sched.h"
#include "abi/linux/socket.h"
#include "cli/trace/show.h"

static size_t data_shown = 32; /* bytes of a buffer, as strace */

void trace_set_data_shown(size_t n)
{
	data_shown = n < 1024 ? n : 1024;
}

/* --- numbers --- */

void trace_show_int(const struct trace_value *v)
{
	text_format(v->text, "%d", (int)trace_argument(v));
}

static void show_uint(const struct trace_value *v)
{
	text_format(v->text, "%u", (unsigned)trace_argument(v));
}

static void show_long(const struct trace_value *v)
{
	text_format(v->text, "%ld", (long)trace_argument(v));
}

static void show_size(const struct trace_value *v)
{
	text_format(v->text, "%lu", trace_argument(v));
}

static void show_hex(const struct trace_value *v)
{
	text_format(v->text, trace_argument(v) ? "%#lx" : "%lu", trace_argument(v));
}

void trace_show_pointer(const struct trace_value *v)
{
	text_format(v->text, trace_argument(v) ? "%#lx" : "NULL", trace_argument(v));
}

static void show_fd(const struct trace_value *v)
{
	size_t len = 0;
	int fd = (int)trace_argument(v);
	const char *path = trace_descriptor_path(fd, &len);

	text_format(v->text, "%d", fd);
	if (path)
		text_format(v->text, "<%.*s>", (int)len, path);
}

static void show_dirfd(const struct trace_value *v)
{
	if ((int)trace_argument(v) == AT_FDCWD)
		text_add(v->text, "AT_FDCWD");
	else
		show_fd(v);
}

static void show_mode(const struct trace_value *v)
{
	text_format(v->text, "%#o", (unsigned)trace_argument(v));
}

static void show_signal(const struct trace_value *v)
{
	text_format(v->text, "%s", trace_signal_name((int)trace_argument(v)));
}

static void show_access(const struct trace_value *v)
{
	bool flags;
	if (trace_argument(v) == F_OK)
		text_format(v->text, "F_OK");
	else
		trace_show_flags(v->text, trace_names("access", 6, &flags), trace_argument(v));
}

static void show_open_flags(const struct trace_value *v)
{
	static const char *const modes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};
	bool flags;
	unsigned long value = trace_argument(v);
	text_format(v->text, "%s", modes[value & O_ACCMODE]);
	if (value & ~(unsigned long)O_ACCMODE) {
		text_format(v->text, "|");
		trace_show_flags(v->text, trace_names("open_flags", 10, &flags),
			value & ~(unsigned long)O_ACCMODE & UINT32_MAX);
	}
}

/* --- text and data --- */

void trace_add_quoted(struct text *t, const uint8_t *s, size_t n)
{
	static const char special[] = "\n\t\r\v\f\"\\", letters[] = "ntrvf\"\\";
	text_format(t, "\"");
	for (size_t i = 0; i < n; i++) {
		const char *at = s[i] ? strchr(special, s[i]) : NULL;
		bool digit_follows = i + 1 < n && s[i + 1] >= '0' && s[i + 1] <= '9';
		if (at)
			text_format(t, "\\%c", letters[at - special]);
		else if (s[i] >= ' ' && s[i] < 127)
			text_format(t, "%c", s[i]);
		else
			text_format(t, digit_follows ? "\\%03o" : "\\%o", s[i]);
	}
	text_format(t, "\"");
}

void trace_add_bytes(struct text *t, uintptr_t at, size_t n)
{
	uint8_t bytes[1024];
	size_t shown = min(n, data_shown);
	if (trace_copy(bytes, at, shown) < 0) {
		text_format(t, "%#lx", at);
		return;
	}
	trace_add_quoted(t, bytes, shown);
	if (shown < n)
		text_format(t, "...");
}

static void show_string(struct text *t, uint64_t at)
{
	char s[1001];
	if (!at) {
		text_add(t, "NULL");
		return;
	}
	long n = trace_string(s, at, sizeof(s));
	if (n >= 0)
		trace_add_quoted(t, (uint8_t *)s, (size_t)n);
	else if (trace_copy(s, at, sizeof(s) - 1) == 0)
		trace_add_quoted(t, (uint8_t *)s, sizeof(s) - 1), text_add(t, "...");
	else
		text_format(t, "%#lx", (unsigned long)at);
}

static void show_path(const struct trace_value *v)
{
	show_string(v->text, trace_argument(v));
}

void trace_show_data(const struct trace_value *v)
{
	trace_add_bytes(v->text, trace_argument(v), trace_next_argument(v));
}

static void show_out_data(const struct trace_value *v)
{
	if (trace_failed(v))
		trace_show_pointer(v);
	else
		trace_add_bytes(v->text, trace_argument(v), (size_t)v->result);
}

static void show_out_path(const struct trace_value *v)
{
	if (trace_failed(v))
		trace_show_pointer(v);
	else
		show_path(v);
}

void trace_add_pieces(const struct trace_value *v, size_t total)
{
	unsigned long n = trace_next_argument(v);
	text_format(v->text, "[");
	for (unsigned i = 0; i < min(n, (unsigned long)ITEMS_SHOWN); i++) {
		struct linux_iovec iov;
		if (trace_copy(&iov, trace_argument(v) + i * sizeof(iov), sizeof(iov)) < 0)
			break;
		size_t here = min(iov.iov_len, total);
		total -= here;
		text_format(v->text, "%s{iov_base=", i ? ", " : "");
		trace_add_bytes(v->text, iov.iov_base, here);
		text_format(v->text, ", iov_len=%lu}", iov.iov_len);
	}
	text_format(v->text, n > ITEMS_SHOWN ? ", ...]" : "]");
}

static void show_iovec(const struct trace_value *v)
{
	trace_add_pieces(v, SIZE_MAX);
}

static void show_out_iovec(const struct trace_value *v)
{
	if (trace_failed(v))
		trace_show_pointer(v);
	else
		trace_add_pieces(v, (size_t)v->result);
}

static void show_strings(const struct trace_value *v)
{
	text_format(v->text, "[");
	for (unsigned i = 0;; i++) {
		uintptr_t at;
		if (trace_copy(&at, trace_argument(v) + i * sizeof(at), sizeof(at)) < 0 || !at)
			break;
		text_format(v->text, i ? ", " : "");
		if (i == ITEMS_SHOWN) {
			text_format(v->text, "...");
			break;
		}
		show_string(v->text, at);
	}
	text_format(v->text, "]");
}

static void show_environment(const struct trace_value *v)
{
	unsigned n = 0;
	uintptr_t at;
	while (n < 4096 && trace_copy(&at, trace_argument(v) + n * sizeof(at), sizeof(at)) == 0 &&
		at)
		n++;
	text_format(v->text, "%#lx /* %u vars */", trace_argument(v), n);
}

/* --- by the command of the call --- */

static void show_futex(const struct trace_value *v)
{
	bool flags;
	unsigned long op = trace_argument(v);
	trace_show_one(v->text, trace_names("futex_command", 13, &flags), op & FUTEX_COMMAND_MASK);
	text_format(v->text, "%s%s", op & FUTEX_PRIVATE_FLAG ? "_PRIVATE" : "",
		op & FUTEX_CLOCK_REALTIME ? "|FUTEX_CLOCK_REALTIME" : "");
}

static unsigned futex_command(const struct trace_value *v)
{
	return (unsigned)v->args[1] & FUTEX_COMMAND_MASK;
}

static void show_futex_timeout(const struct trace_value *v)
{
	unsigned command = futex_command(v);
	if (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET)
		trace_show_timespec(v);
	else
		show_uint(v);
}

static void show_fcntl_argument(const struct trace_value *v)
{
	struct linux_flock l;
	switch ((int)trace_last_argument(v)) {
	case F_SETFD:
		text_format(
			v->text, trace_argument(v) == 1 ? "FD_CLOEXEC" : "%lu", trace_argument(v));
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
		if (trace_fetch(v, &l, sizeof(l)))
			text_format(v->text, "{l_type=%d, l_whence=%d, l_start=%ld, l_len=%ld}",
				l.l_type, l.l_whence, (long)l.l_start, (long)l.l_len);
		break;
	default:
		show_long(v);
	}
}

static void show_prctl_argument(const struct trace_value *v)
{
	char name[16];
	unsigned option = (unsigned)v->args[0];

	if (option == PR_SET_NAME && trace_copy(name, trace_argument(v), sizeof(name)) == 0)
		trace_add_quoted(v->text, (uint8_t *)name, strnlen(name, sizeof(name)));
	else
		show_hex(v);
}

/* --- the table --- */

const struct trace_kind trace_plain_kinds[] = {
	{"int", trace_show_int},
	{"uint", show_uint},
	{"long", show_long},
	{"size", show_size},
	{"hex", show_hex},
	{"offset", show_hex},
	{"address", trace_show_pointer},
	{"pointer", trace_show_pointer},
	{"fd", show_fd},
	{"dirfd", show_dirfd},
	{"path", show_path},
	{"out_path", show_out_path},
	{"data", trace_show_data},
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
	{"futex", show_futex},
	{"futex_second", trace_show_pointer},
	{"futex_value3", show_hex},
	{"futex_value", show_uint},
	{"futex_timeout", show_futex_timeout},
	{"fcntl_argument", show_fcntl_argument},
	{"prctl_argument", show_prctl_argument},
	{"prctl_rest", show_hex},
	{NULL, NULL},
};

static bool is(const char *kind, size_t len, const char *name)
{
	return strncmp(kind, name, len) == 0 && name[len] == '\0';
}

void trace_show(const char *kind, size_t len, const struct trace_value *v)
{
	static const struct trace_kind *const all[] = {
		trace_plain_kinds, trace_struct_kinds, trace_socket_kinds};
	for (unsigned i = 0; i < array_size(all); i++)
		for (const struct trace_kind *k = all[i]; k->kind; k++)
			if (is(kind, len, k->kind)) {
				k->show(v);
				return;
			}
	bool flags = false;
	const struct trace_name *names = trace_names(kind, len, &flags);
	unsigned long value = trace_argument(v) & UINT32_MAX;
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
		return !(trace_last_argument(v) & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)));
	if (is(kind, len, "fcntl_argument"))
		return trace_last_argument(v) == F_GETFD || trace_last_argument(v) == F_GETFL ||
		       trace_last_argument(v) == F_GETOWN ||
		       trace_last_argument(v) == F_GETPIPE_SZ ||
		       trace_last_argument(v) == F_GET_SEALS;
	if (is(kind, len, "prctl_rest"))
		return v->args[0] == PR_SET_NAME || v->args[0] == PR_GET_NAME;
	if (is(kind, len, "futex_timeout"))
		return futex_command(v) == FUTEX_WAKE || futex_command(v) == FUTEX_WAKE_BITSET;
	if (is(kind, len, "futex_second"))
		return futex_command(v) < FUTEX_REQUEUE || futex_command(v) > FUTEX_WAKE_OP;
	if (is(kind, len, "futex_value3"))
		return futex_command(v) <= FUTEX_REQUEUE || futex_command(v) > FUTEX_WAKE_BITSET;
	return false;
}
