/* Arguments of traced calls about sockets and about waiting for files. */
#include "abi/linux/fcntl.h"
#include "abi/linux/socket.h"
#include "cli/trace/show.h"

static unsigned load_be16(const uint8_t *b)
{
	return (unsigned)b[0] << 8 | b[1];
}

/* --- sockets --- */

static void show_socket_type(const struct trace_value *v)
{
	bool flags;
	unsigned long type = trace_argument(v);
	trace_show_one(v->text, trace_names("socket_type_name", 16, &flags), type & SOCK_TYPE_MASK);
	if (type & ~(unsigned long)SOCK_TYPE_MASK) {
		text_format(v->text, "|");
		trace_show_flags(v->text, trace_names("socket_flags", 12, &flags),
			type & ~(unsigned long)SOCK_TYPE_MASK);
	}
}

static void show_socket_protocol(const struct trace_value *v)
{
	static const struct trace_name names[] = {{0, "IPPROTO_IP"}, {1, "IPPROTO_ICMP"},
		{6, "IPPROTO_TCP"}, {17, "IPPROTO_UDP"}, {41, "IPPROTO_IPV6"},
		{58, "IPPROTO_ICMPV6"}, {255, "IPPROTO_RAW"}, {0, NULL}};

	if (v->args[0] == AF_INET || v->args[0] == AF_INET6)
		trace_show_one(v->text, names, trace_argument(v));
	else
		trace_show_int(v);
}

static void show_socket_option(const struct trace_value *v)
{
	bool flags;
	if (trace_last_argument(v) == SOL_SOCKET)
		trace_show_one(
			v->text, trace_names("socket_option_name", 18, &flags), trace_argument(v));
	else if (trace_last_argument(v) == SOL_TCP)
		trace_show_one(
			v->text, trace_names("tcp_option_name", 15, &flags), trace_argument(v));
	else
		trace_show_int(v);
}

static void show_option_value(const struct trace_value *v)
{
	if (trace_next_argument(v) == sizeof(int))
		trace_show_int_at(v);
	else
		trace_show_data(v);
}

static void add_address(struct text *t, const uint8_t *a, size_t n)
{
	unsigned family = n >= 2 ? a[0] | (unsigned)a[1] << 8 : 0;
	if (family == AF_INET && n >= 8) {
		text_format(t,
			"{sa_family=AF_INET, sin_port=htons(%u), "
			"sin_addr=inet_addr(\"%u.%u.%u.%u\")}",
			load_be16(a + 2), a[4], a[5], a[6], a[7]);
	} else if (family == AF_INET6 && n >= 24) {
		text_format(t,
			"{sa_family=AF_INET6, sin6_port=htons(%u), sin6_addr=", load_be16(a + 2));
		for (unsigned i = 0; i < 8; i++)
			text_format(t, "%s%x", i ? ":" : "", load_be16(a + 8 + 2 * i));
		text_format(t, "}");
	} else if (family == AF_UNIX && n > 2) {
		text_format(t, "{sa_family=AF_UNIX, sun_path=%s", a[2] ? "" : "@");
		size_t skip = a[2] ? 2 : 3;
		trace_add_quoted(t, a + skip, strnlen((const char *)a + skip, n - skip));
		text_format(t, "}");
	} else {
		text_format(t, "{sa_family=%u, ...}", family);
	}
}

static void show_address(const struct trace_value *v, size_t n)
{
	uint8_t bytes[128];
	n = min(n, sizeof(bytes));
	if (!trace_argument(v) || trace_failed(v) || trace_copy(bytes, trace_argument(v), n) < 0)
		trace_show_pointer(v);
	else
		add_address(v->text, bytes, n);
}

static void show_sockaddr(const struct trace_value *v)
{
	show_address(v, trace_next_argument(v));
}

static void show_out_sockaddr(const struct trace_value *v)
{
	uint32_t n = 0;
	if (trace_next_argument(v) && trace_copy(&n, trace_next_argument(v), sizeof(n)) < 0)
		n = 0;
	show_address(v, n);
}

static void show_message(const struct trace_value *v)
{
	struct linux_msghdr m;
	if (!trace_fetch(v, &m, sizeof(m)))
		return;
	text_format(v->text, "{msg_name=%#lx, msg_namelen=%u, msg_iov=", m.msg_name, m.msg_namelen);
	const uint64_t inner[6] = {m.msg_iov, m.msg_iovlen};
	const struct trace_value pieces = {.text = v->text, .args = inner, .index = 0};
	trace_add_pieces(&pieces, v->result > 0 ? (size_t)v->result : SIZE_MAX);
	text_format(v->text, ", msg_iovlen=%lu, msg_controllen=%lu, msg_flags=%#x}", m.msg_iovlen,
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
	text_format(t, "[");
	for (unsigned i = 0; i < min(n, (unsigned long)ITEMS_SHOWN); i++) {
		struct pollfd p;
		if (trace_copy(&p, at + i * sizeof(p), sizeof(p)) < 0)
			break;
		if (result && !p.revents)
			continue;
		text_format(t, "%s{fd=%d", first ? "" : ", ", p.fd);
		first = false;
		if (p.fd >= 0) {
			text_format(t, result ? ", revents=" : ", events=");
			trace_show_flags(t, names, (uint16_t)(result ? p.revents : p.events));
		}
		text_format(t, "}");
	}
	text_format(t, n > ITEMS_SHOWN ? ", ...]" : "]");
}

static void show_poll(const struct trace_value *v)
{
	show_pollfds(v->text, trace_argument(v), trace_next_argument(v), false);
}

static bool get_fd_set(uintptr_t at, unsigned n, uint64_t words[16])
{
	return at && trace_copy(words, at, div_round_up(n, 64u) * 8) == 0;
}

static void add_fd_set(struct text *t, const uint64_t words[16], unsigned n)
{
	bool first = true;
	text_format(t, "[");
	for (unsigned fd = 0; fd < n; fd++)
		if (words[fd / 64] >> fd % 64 & 1) {
			text_format(t, "%s%u", first ? "" : " ", fd);
			first = false;
		}
	text_format(t, "]");
}

static void show_fd_set(const struct trace_value *v)
{
	unsigned n = min((unsigned)v->args[0], 1024u);
	uint64_t words[16];
	if (get_fd_set(trace_argument(v), n, words))
		add_fd_set(v->text, words, n);
	else
		trace_show_pointer(v);
}

/* "(in [3], out [4])" */
static void show_select_result(struct text *t, const uint64_t *args)
{
	static const char *const names[] = {"in", "out", "except"};
	unsigned n = min((unsigned)args[0], 1024u);
	const char *before = " (";
	for (unsigned set = 0; set < 3; set++) {
		uint64_t words[16], any = 0;
		if (!get_fd_set(args[1 + set], n, words))
			continue;
		for (unsigned i = 0; i < div_round_up(n, 64u); i++)
			any |= words[i];
		if (!any)
			continue;
		text_format(t, "%s%s ", before, names[set]);
		add_fd_set(t, words, n);
		before = ", ";
	}
	text_format(t, *before == ',' ? ")" : "");
}

void trace_show_ready(const char *kind, struct text *t, const uint64_t *args, long result)
{
	bool is_poll = string_starts(kind, "poll"), is_select = string_starts(kind, "select");
	if (result == 0 && (is_poll || is_select))
		text_format(t, " (Timeout)");
	if (result > 0 && is_select)
		show_select_result(t, args);
	if (result <= 0 || !is_poll)
		return;
	text_format(t, " (");
	show_pollfds(t, args[0], args[1], true);
	text_format(t, ")");
}

static void add_epoll_event(const struct trace_value *v, const struct linux_epoll_event *e)
{
	bool flags;
	text_format(v->text, "{events=");
	trace_show_flags(v->text, trace_names("epoll_events", 12, &flags), e->events);
	text_format(v->text, ", data={u32=%u, u64=%lu}}", (unsigned)e->data, e->data);
}

static void show_epoll_event(const struct trace_value *v)
{
	struct linux_epoll_event e;
	if (trace_fetch(v, &e, sizeof(e)))
		add_epoll_event(v, &e);
}

static void show_out_epoll_events(const struct trace_value *v)
{
	if (trace_failed(v)) {
		trace_show_pointer(v);
		return;
	}
	text_format(v->text, "[");
	for (unsigned i = 0; i < min((unsigned)v->result, ITEMS_SHOWN); i++) {
		struct linux_epoll_event e;
		if (trace_copy(&e, trace_argument(v) + i * sizeof(e), sizeof(e)) < 0)
			break;
		text_format(v->text, i ? ", " : "");
		add_epoll_event(v, &e);
	}
	text_format(v->text, v->result > (long)ITEMS_SHOWN ? ", ...]" : "]");
}

const struct trace_kind trace_socket_kinds[] = {
	{"socket_type", show_socket_type},
	{"socket_protocol", show_socket_protocol},
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
	{NULL, NULL},
};
