/*
 * The memory behind a traced call's arguments: read here, made into words by the host.  How much of it an argument's
 * kind (the first word in table.def) points to is one table; kinds that are not in it are only numbers.
 */
#include "abi/channel.h"
#include "abi/linux/resource.h"
#include "abi/linux/sched.h"
#include "abi/linux/socket.h"
#include "abi/linux/stat.h"
#include "abi/linux/time.h"
#include "kernel/file/fd_table.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/string.h"
#include "kernel/proc/process.h"
#include "kernel/syscall/trace.h"

#define STRING_MAX 1000u
#define ITEMS_MAX 17u /* of an array: one more than is shown */

enum how {
	NUMBER,
	DESCRIPTOR,
	STRING,
	FIXED,    /* size bytes */
	COUNTED,  /* as many items of size bytes as the next argument says */
	DATA,     /* as many bytes as the next argument says, cut */
	RETURNED, /* as many items of size bytes as the result says, cut */
	STRINGS,  /* NULL-terminated array of them */
	POINTERS, /* NULL-terminated array: only how many */
	PIECES,   /* iovec, as many as the next argument says */
	MESSAGE,  /* msghdr */
	BITS,     /* as many bits as the first argument says */
};

struct capture {
	const char *kind; /* "out_KIND" is the same, after the call */
	uint8_t how, size;
	bool both; /* before and after */
};

static const struct capture captures[] = {
	{"fd", DESCRIPTOR, 0, false},
	{"dirfd", DESCRIPTOR, 0, false},
	{"path", STRING, 0, false},
	{"prctl_argument", FIXED, 16, false}, /* PR_SET_NAME */
	{"data", DATA, 1, false},
	{"option_value", DATA, 1, false},
	{"iovec", PIECES, 0, false},
	{"message", MESSAGE, 0, false},
	{"argv", STRINGS, 0, false},
	{"envp", POINTERS, 0, false},
	{"sockaddr", DATA, 128, false},
	{"poll", COUNTED, 8, true},
	{"fd_set", BITS, 0, true},
	{"epoll_event", FIXED, 12, false},
	{"epoll_events", RETURNED, 12, false},
	{"timespec", FIXED, 16, false},
	{"futex_timeout", FIXED, 16, false},
	{"timespec2", FIXED, 32, false},
	{"timeval", FIXED, 16, false},
	{"itimerspec", FIXED, 32, false},
	{"itimerval", FIXED, 32, false},
	{"sigset", FIXED, 8, false},
	{"sigaction", FIXED, sizeof(struct linux_sigaction), false},
	{"stack", FIXED, sizeof(struct linux_stack), false},
	{"stat", FIXED, sizeof(struct linux_stat), false},
	{"statx", FIXED, 48, false},
	{"fds", FIXED, 8, false},
	{"int", FIXED, 4, false},
	{"uint", FIXED, 4, false},
	{"long_at", FIXED, 8, false},
	{"mask", FIXED, 8, false},
	{"limit", FIXED, 16, false},
	{"uname", FIXED, 130, false},
	{"sigevent", FIXED, sizeof(struct linux_sigevent), false},
	{"clone_args", FIXED, CLONE_ARGS_SIZE_VER0, false},
	{"fcntl_argument", FIXED, sizeof(struct linux_flock), false},
};

#define AFTER 0x80u

static uint8_t code_of(const char *kind, size_t len)
{
	bool after = len > 4 && strncmp(kind, "out_", 4) == 0;
	const char *bare = after ? kind + 4 : kind;
	len -= after ? 4 : 0;
	for (unsigned i = 0; i < array_size(captures); i++)
		if (strncmp(captures[i].kind, bare, len) == 0 && captures[i].kind[len] == '\0') {
			bool plain = !after && (strncmp(bare, "int", len) == 0 ||
						       strncmp(bare, "uint", len) == 0);
			return plain ? 0 : (uint8_t)((i + 1) | (after ? AFTER : 0));
		}
	return 0;
}

void capture_codes(const char *signature, uint8_t codes[6])
{
	const char *s = signature;
	for (unsigned i = 0; i < 6; i++) {
		size_t n = 0;
		while (s[n] && s[n] != ' ' && s[n] != ',' && s[n] != '=')
			n++;
		codes[i] = *s == '=' ? 0 : code_of(s, n);
		while (*s && *s != ',' && *s != '=')
			s++;
		while (*s == ',' || *s == ' ')
			s++;
	}
}

/* --- pieces --- */

struct reading {
	struct capture_buffer *to;
	unsigned when, data_size;
};

static struct trace_piece *piece_begin(struct capture_buffer *to, uint32_t *room)
{
	if (to->len + sizeof(struct trace_piece) + 8 > to->size || to->n_pieces == 255)
		return NULL;
	*room = to->size - to->len - (uint32_t)sizeof(struct trace_piece) - 8;
	return (struct trace_piece *)(to->bytes + to->len);
}

static void piece_end(struct capture_buffer *to, const struct trace_piece *p)
{
	uint32_t padded = align_up((uint32_t)p->len, 8u);
	memset(to->bytes + to->len + sizeof(*p) + p->len, 0, padded - p->len);
	to->len += (uint32_t)sizeof(*p) + padded;
	to->n_pieces++;
}

static void add_memory(const struct reading *r, uintptr_t at, size_t len)
{
	uint32_t room;
	struct trace_piece *p = piece_begin(r->to, &room);
	if (!p || !at || len == 0 || len > room || copy_in(p + 1, user_at(at), len) < 0)
		return;
	*p = (struct trace_piece){at, (uint16_t)len, (uint8_t)r->when, 0, 0};
	piece_end(r->to, p);
}

static void add_string(const struct reading *r, uintptr_t at)
{
	uint32_t room;
	struct trace_piece *p = piece_begin(r->to, &room);
	if (!p || !at)
		return;
	size_t size = min(room, STRING_MAX);
	long n = user_string((char *)(p + 1), user_at(at), size);
	bool cut = n < 0 && copy_in(p + 1, user_at(at), size) == 0;
	if (n < 0 && !cut)
		return;
	*p = (struct trace_piece){
		at, (uint16_t)(cut ? size : (size_t)n + 1), (uint8_t)r->when, cut, 0};
	piece_end(r->to, p);
}

static void add_descriptor(const struct reading *r, int fd)
{
	uint32_t room;
	struct file *f = NULL;
	struct trace_piece *p = piece_begin(r->to, &room);
	if (!p || fd_get(fd, &f) < 0)
		return;
	long n = vfs_file_path(f, (char *)(p + 1), min(room, STRING_MAX));
	file_put(f);
	if (n <= 0)
		return;
	n = (long)strnlen((char *)(p + 1), (size_t)n);
	*p = (struct trace_piece){(uint64_t)fd, (uint16_t)n, TRACE_PATH, 0, 0};
	piece_end(r->to, p);
}

/* --- by kind --- */

static void add_strings(const struct reading *r, uintptr_t at, bool contents)
{
	unsigned max = contents ? ITEMS_MAX : 100;
	uintptr_t items[100];
	unsigned n = 0;
	while (n < max && copy_in(&items[n], user_at(at + n * 8ul), 8) == 0 && items[n])
		n++;
	add_memory(r, at, min(n + 1, max) * 8ul);
	for (unsigned i = 0; contents && i < n; i++)
		add_string(r, items[i]);
}

/* total: bytes of the pieces that count. */
static void add_pieces(const struct reading *r, uintptr_t at, unsigned long n, size_t total)
{
	n = min(n, (unsigned long)ITEMS_MAX);
	add_memory(r, at, n * sizeof(struct linux_iovec));
	for (unsigned i = 0; i < n && total > 0; i++) {
		struct linux_iovec iov;
		if (copy_in(&iov, user_at(at + i * sizeof(iov)), sizeof(iov)) < 0)
			return;
		size_t here = min(iov.iov_len, total);
		total -= here;
		add_memory(r, iov.iov_base, min(here, (size_t)r->data_size));
	}
}

static void add_message(const struct reading *r, uintptr_t at, size_t total)
{
	struct linux_msghdr m;
	if (copy_in(&m, user_at(at), sizeof(m)) < 0)
		return;
	add_memory(r, at, sizeof(m));
	add_memory(r, m.msg_name, min((size_t)m.msg_namelen, (size_t)128));
	add_pieces(r, m.msg_iov, m.msg_iovlen, total);
}

static void add_address_at(const struct reading *r, uintptr_t at, uintptr_t len_at)
{
	uint32_t n = 0;
	if (!len_at || copy_in(&n, user_at(len_at), sizeof(n)) < 0)
		return;
	add_memory(r, len_at, sizeof(n));
	add_memory(r, at, min(n, 128u));
}

static void add(const struct reading *r, const struct capture *c, const struct syscall_args *args,
	unsigned i, long result)
{
	uintptr_t at = args->a[i];
	unsigned long next = i < 5 ? args->a[i + 1] : 0;
	bool after = r->when == TRACE_AFTER;
	unsigned long count = after ? (unsigned long)result : next;
	switch ((enum how)c->how) {
	case STRING:
		add_string(r, at);
		break;
	case FIXED:
		add_memory(r, at, c->size);
		break;
	case COUNTED:
		add_memory(r, at, min(next, (unsigned long)ITEMS_MAX) * c->size);
		break;
	case DATA:
		if (after && c->size == 128)
			add_address_at(r, at, next);
		else
			add_memory(r, at,
				min(count, (unsigned long)max((unsigned)c->size, r->data_size)));
		break;
	case RETURNED:
		add_memory(r, at, min(count, (unsigned long)ITEMS_MAX) * c->size);
		break;
	case STRINGS:
	case POINTERS:
		add_strings(r, at, c->how == STRINGS);
		break;
	case PIECES:
		add_pieces(r, at, next, after ? (size_t)result : SIZE_MAX);
		break;
	case MESSAGE:
		add_message(r, at, after ? (size_t)result : SIZE_MAX);
		break;
	case BITS:
		add_memory(r, at, div_round_up(min(args->a[0], 1024ul), 64ul) * 8);
		break;
	case NUMBER:
	case DESCRIPTOR:
		break;
	}
}

void capture_arguments(struct capture_buffer *to, const uint8_t codes[6],
	const struct syscall_args *args, unsigned when, long result,
	const struct capture_options *options)
{
	const struct reading r = {to, when, options->data_size};
	if (when == TRACE_AFTER && result < 0)
		return;
	for (unsigned i = 0; i < 6; i++) {
		if (codes[i] == 0)
			continue;
		const struct capture *c = &captures[(codes[i] & ~AFTER) - 1];
		if (c->how == DESCRIPTOR) {
			if (options->paths && when == TRACE_BEFORE)
				add_descriptor(&r, (int)args->a[i]);
		} else if (c->both || (when == TRACE_AFTER) == !!(codes[i] & AFTER)) {
			add(&r, c, args, i, result);
		}
	}
}
