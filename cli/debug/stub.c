/* Commands of the protocol, one function per letter or word; what is not known gets an empty reply. */
#include "cli/debug/stub.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/debug/files.h"
#include "cli/debug/packet.h"
#include "cli/debug/registers.h"
#include "cli/memory.h"

#define CHUNK_MAX 0x3000u /* bytes of memory or of an object in one reply */
#define THREADS_MAX (DEBUG_DATA_MAX / sizeof(struct debug_thread))

struct stub {
	struct target *target;
	int listener;
	char *path;                  /* of a Unix socket: removed at the end */
	struct packet_stream stream; /* fd -1: no gdb */
	bool running;                /* gdb waits for a stop */
	bool interrupted;            /* it asked for one */
	bool has_left;
	bool names_process; /* gdb wants "p1.TID": the multiprocess extension */
	uint32_t current;   /* thread of g, m, ...; set by Hg and by stops */
	uint32_t stopped;   /* of the last event */
	unsigned signal;
	struct debug_watch watches[DEBUG_WATCHES];
	uint64_t hit; /* the watched address that the last stop is about */
	bool hit_is_watch;
	struct registers registers; /* of registers_tid; 0: of none */
	uint32_t registers_tid;
	struct text object; /* the last one made for qXfer */
	struct stub_files files;
};

static void reply(struct stub *s, const char *text)
{
	packet_send(&s->stream, text, strlen(text));
}

static void reply_text(struct stub *s, struct text *t)
{
	packet_send(&s->stream, t->data ? t->data : "", t->len);
	text_free(t);
}

static void reply_result(struct stub *s, int err)
{
	reply(s, err < 0 ? "E01" : "OK");
}

/* ---- Thread ids: "TID", or "pPID.TID" ---- */

#define PROCESS 1

static void add_thread(const struct stub *s, struct text *t, uint32_t tid)
{
	text_format(t, s->names_process ? "p1.%x" : "%x", tid);
}

/* The thread; 0 or -1: any of them. */
static long parse_thread(const char *text, const char **end)
{
	char *e = NULL;
	long process = *text == 'p' ? strtol(text + 1, &e, 16) : 0;
	long tid = e && *e != '.' ? (process == PROCESS || process < 0 ? -1 : 0)
				  : strtol(e ? e + 1 : text, &e, 16);

	if (end)
		*end = e;
	return tid;
}

/* ---- Registers ---- */

static int load_registers(struct stub *s)
{
	if (s->registers_tid == s->current)
		return 0;
	int err = target_registers(s->target, s->current);

	if (err < 0)
		return err;
	size_t n = s->target->data_len;

	if (n < sizeof(s->registers.general) || n > sizeof(s->registers))
		return -EPROTO;
	memcpy(&s->registers, s->target->data, n);
	if (s->registers.general.fpu_size != n - sizeof(s->registers.general))
		return -EPROTO;
	s->registers_tid = s->current;
	return 0;
}

static int store_registers(struct stub *s)
{
	return target_set_registers(s->target, s->current, &s->registers,
		sizeof(s->registers.general) + s->registers.general.fpu_size);
}

static void read_registers(struct stub *s)
{
	struct text t = {0};

	if (load_registers(s) < 0) {
		reply(s, "E01");
		return;
	}
	for (unsigned i = 0; i < registers_count(registers_have_avx(&s->registers)); i++) {
		uint8_t bytes[16];

		registers_get(&s->registers, i, bytes);
		hex_add(&t, bytes, registers_size(i));
	}
	reply_text(s, &t);
}

static void write_registers(struct stub *s, const char *digits)
{
	int err = load_registers(s);
	size_t left = strlen(digits);

	for (unsigned i = 0; err >= 0 && i < registers_count(registers_have_avx(&s->registers));
		i++) {
		uint8_t bytes[16];
		size_t n = 2 * registers_size(i);

		if (left < n)
			break;
		if (hex_bytes(digits, n, bytes, sizeof(bytes)) >= 0) /* 'x': not known, as it is */
			registers_set(&s->registers, i, bytes);
		digits += n;
		left -= n;
	}
	reply_result(s, err < 0 ? err : store_registers(s));
}

static void read_register(struct stub *s, const char *arguments)
{
	unsigned long number = strtoul(arguments, NULL, 16);
	struct text t = {0};
	uint8_t bytes[16];

	if (load_registers(s) < 0 || number >= registers_count(registers_have_avx(&s->registers))) {
		reply(s, "E01");
		return;
	}
	registers_get(&s->registers, (unsigned)number, bytes);
	hex_add(&t, bytes, registers_size((unsigned)number));
	reply_text(s, &t);
}

static void write_register(struct stub *s, const char *arguments)
{
	char *equals = NULL;
	unsigned long number = strtoul(arguments, &equals, 16);
	uint8_t bytes[16];
	int err = *equals == '=' ? load_registers(s) : -EINVAL;

	if (err >= 0 && number < registers_count(registers_have_avx(&s->registers)) &&
		hex_bytes(equals + 1, strlen(equals + 1), bytes, sizeof(bytes)) ==
			(long)registers_size((unsigned)number))
		registers_set(&s->registers, (unsigned)number, bytes);
	else
		err = -EINVAL;
	reply_result(s, err < 0 ? err : store_registers(s));
}

/* ---- Memory ---- */

/* "ADDRESS,LENGTH" and where it ends. */
static bool parse_range(const char *s, uint64_t *at, size_t *len, const char **end)
{
	char *e = NULL;

	*at = strtoull(s, &e, 16);
	if (*e != ',')
		return false;
	*len = strtoul(e + 1, &e, 16);
	*end = e;
	return true;
}

static void read_memory(struct stub *s, const char *arguments)
{
	uint8_t bytes[CHUNK_MAX];
	const char *end;
	uint64_t at;
	size_t len;
	struct text t = {0};

	if (!parse_range(arguments, &at, &len, &end)) {
		reply(s, "E01");
		return;
	}
	int n = target_read(s->target, at, bytes, len < CHUNK_MAX ? len : CHUNK_MAX);

	if (n <= 0) {
		reply(s, "E0e");
		return;
	}
	hex_add(&t, bytes, (size_t)n);
	reply_text(s, &t);
}

static void write_memory(struct stub *s, const char *arguments, size_t total, bool binary)
{
	static uint8_t bytes[PACKET_MAX];
	const char *end;
	uint64_t at;
	size_t len;

	if (!parse_range(arguments, &at, &len, &end) || *end != ':' || len > sizeof(bytes)) {
		reply(s, "E01");
		return;
	}
	end++;
	size_t left = total - (size_t)(end - arguments);

	if (binary && left == len)
		memcpy(bytes, end, len);
	else if (binary || hex_bytes(end, left, bytes, sizeof(bytes)) != (long)len)
		len = SIZE_MAX;
	reply_result(s, len == SIZE_MAX ? -EINVAL : target_write(s->target, at, bytes, len));
}

/* ---- Threads ---- */

static size_t list_threads(struct stub *s, struct debug_thread *to)
{
	int n = target_threads(s->target);
	size_t have = s->target->data_len / sizeof(*to);

	if (n < 0)
		return 0;
	memcpy(to, s->target->data, have * sizeof(*to));
	return have;
}

static void thread_info(struct stub *s)
{
	struct debug_thread threads[THREADS_MAX];
	size_t n = list_threads(s, threads);
	struct text t = {0};

	text_add(&t, "m");
	for (size_t i = 0; i < n; i++)
		text_add(&t, i ? "," : ""), add_thread(s, &t, threads[i].tid);
	if (!n)
		text_free(&t), text_add(&t, "l");
	reply_text(s, &t);
}

static bool is_thread(struct stub *s, uint32_t tid)
{
	struct debug_thread threads[THREADS_MAX];
	size_t n = list_threads(s, threads);

	for (size_t i = 0; i < n; i++)
		if (threads[i].tid == tid)
			return true;
	return false;
}

/* Hg and Hc: 0 and -1 stand for any. */
static void set_thread(struct stub *s, const char *arguments)
{
	long tid = parse_thread(arguments + 1, NULL);

	if (arguments[0] == 'g' && tid > 0)
		s->current = (uint32_t)tid;
	else if (arguments[0] == 'g')
		s->current = s->stopped;
	reply(s, "OK");
}

/* ---- Stopping and going on ---- */

static const char *watch_word(const struct stub *s, uint64_t address)
{
	for (int i = 0; i < DEBUG_WATCHES; i++)
		if (s->watches[i].len && s->watches[i].address == address)
			return s->watches[i].kind == DEBUG_WATCH_WRITE ? "watch" : "awatch";
	return "watch";
}

/* "Z2,ADDRESS,LENGTH" and "z2,...": 2 writes, 4 accesses.  Others gdb does itself, by writing instructions. */
static void set_watch(struct stub *s, const char *arguments, bool on)
{
	struct debug_watch w[DEBUG_WATCHES], wanted = {0};
	const char *end;
	size_t len = 0;
	int free_one = -1, same = -1;

	wanted.kind = arguments[0] == '2' ? DEBUG_WATCH_WRITE : DEBUG_WATCH_ACCESS;
	if ((arguments[0] != '2' && arguments[0] != '4') || arguments[1] != ',' ||
		!parse_range(arguments + 2, &wanted.address, &len, &end)) {
		reply(s, "");
		return;
	}
	wanted.len = (uint32_t)len;
	memcpy(w, s->watches, sizeof(w));
	for (int i = 0; i < DEBUG_WATCHES; i++) {
		if (!w[i].len)
			free_one = i;
		else if (memcmp(&w[i], &wanted, sizeof(wanted)) == 0)
			same = i;
	}
	if (!on && same >= 0)
		w[same].len = 0;
	else if (on && same < 0 && free_one >= 0)
		w[free_one] = wanted;
	int err = on && same < 0 && free_one < 0 ? -ENOSPC : target_watch(s->target, w);

	if (err >= 0)
		memcpy(s->watches, w, sizeof(w));
	reply_result(s, err);
}

static void tell_stop(struct stub *s)
{
	struct text t = {0};

	text_format(&t, "T%02x", s->signal);
	if (s->hit_is_watch)
		text_format(&t, "%s:%" PRIx64 ";", watch_word(s, s->hit), s->hit);
	text_add(&t, "thread:");
	add_thread(s, &t, s->stopped);
	text_add(&t, ";");
	reply_text(s, &t);
}

static void stop_at(struct stub *s, uint32_t tid, unsigned signal)
{
	s->running = s->interrupted = false;
	s->stopped = s->current = tid;
	s->signal = signal;
	s->registers_tid = 0;
	tell_stop(s);
}

/* gdb's numbers are its own above SIGTERM (include/gdb/signals.def); these are the ones that differ. */
static unsigned gdb_signal(unsigned host)
{
	static const uint8_t table[32] = {[SIGSTKFLT] = 143,
		[SIGBUS] = 10,
		[SIGUSR1] = 30,
		[SIGUSR2] = 31,
		[SIGCHLD] = 20,
		[SIGCONT] = 19,
		[SIGSTOP] = 17,
		[SIGTSTP] = 18,
		[SIGURG] = 16,
		[SIGIO] = 23,
		[SIGSYS] = 12,
		[SIGPWR] = 32,
		[SIGXCPU] = 24,
		[SIGXFSZ] = 25,
		[SIGVTALRM] = 26,
		[SIGPROF] = 27,
		[SIGWINCH] = 28,
		[SIGTTIN] = 21,
		[SIGTTOU] = 22};

	if (host >= 33 && host < 64)
		return host + 12; /* GDB_SIGNAL_REALTIME_33 is 45 */
	return host < 32 && table[host] ? table[host] : host == 32 ? 77 : host == 64 ? 78 : host;
}

static unsigned host_signal(unsigned gdb)
{
	for (unsigned n = 1; n <= 64; n++)
		if (gdb_signal(n) == gdb)
			return n;
	return 0;
}

void stub_look(struct stub *s)
{
	struct target *t = s->target;

	if (!t->has_event || s->stream.fd < 0 || !s->running)
		return;
	t->has_event = false;
	s->hit_is_watch = t->event.kind == DEBUG_EVENT_SIGNAL && t->event.signal == SIGTRAP &&
			  t->event.code == TRAP_HWBKPT;
	s->hit = t->event.address;
	stop_at(s, t->event.tid,
		t->event.kind == DEBUG_EVENT_SIGNAL ? gdb_signal(t->event.signal) : SIGTRAP);
}

static void interrupt(struct stub *s)
{
	struct debug_thread threads[THREADS_MAX];

	if (!s->running)
		return;
	s->interrupted = true;
	if (target_stop(s->target) < 0)
		return;
	if (s->target->has_event) {
		stub_look(s);
		return;
	}
	size_t n = list_threads(s, threads);

	stop_at(s, n ? threads[0].tid : 1, SIGINT);
}

static void resume(struct stub *s, const struct debug_action *actions, size_t n, unsigned rest)
{
	s->registers_tid = 0;
	s->hit_is_watch = false;
	s->running = true;
	if (target_resume(s->target, actions, n, rest) < 0) {
		s->running = false;
		reply(s, "E01");
	}
	stub_look(s); /* it may have stopped already */
}

/* "vCont;ACTION[:THREAD];...": the first that fits a thread counts. */
static void continue_threads(struct stub *s, const char *arguments)
{
	struct debug_action actions[64];
	unsigned rest = DEBUG_ACTION_HOLD;
	size_t n = 0;

	for (const char *at = arguments; *at == ';';) {
		char *end = NULL;
		char letter = at[1];
		unsigned signal = 0;

		at += 2;
		if (letter == 'C' || letter == 'S') {
			signal = host_signal((unsigned)strtoul(at, &end, 16));
			at = end;
		}
		unsigned action =
			letter == 's' || letter == 'S' ? DEBUG_ACTION_STEP : DEBUG_ACTION_CONTINUE;
		long tid = -1;

		if (*at == ':')
			tid = parse_thread(at + 1, &at);
		if (tid > 0 && n < 64)
			actions[n++] = (struct debug_action){
				(uint32_t)tid, (uint8_t)action, (uint8_t)signal, 0};
		else
			rest = action;
	}
	resume(s, actions, n, rest);
}

/* c, s, C and S: the stopped thread as it says, the others go on. */
static void continue_one(struct stub *s, char letter, const char *arguments)
{
	bool step = letter == 's' || letter == 'S';
	unsigned signal = letter == 'C' || letter == 'S'
				  ? host_signal((unsigned)strtoul(arguments, NULL, 16))
				  : 0;
	struct debug_action a = {s->stopped,
		(uint8_t)(step ? DEBUG_ACTION_STEP : DEBUG_ACTION_CONTINUE), (uint8_t)signal, 0};

	resume(s, &a, 1, DEBUG_ACTION_CONTINUE);
}

static void leave(struct stub *s)
{
	s->has_left = true;
	close(s->stream.fd);
	s->stream.fd = -1;
}

static void detach(struct stub *s)
{
	int err = target_detach(s->target);

	reply_result(s, err);
	leave(s);
}

static void kill_program(struct stub *s, bool answer)
{
	(void)!target_kill(s->target);
	if (answer)
		reply(s, "OK");
	leave(s);
}

/* ---- Objects: qXfer ---- */

static int make_threads(struct stub *s)
{
	struct debug_thread threads[THREADS_MAX];
	size_t n = list_threads(s, threads);

	text_add(&s->object, "<?xml version=\"1.0\"?><threads>");
	for (size_t i = 0; i < n; i++) {
		text_add(&s->object, "<thread id=\"");
		add_thread(s, &s->object, threads[i].tid);
		text_add(&s->object, "\" name=\"");
		for (const char *c = threads[i].name; *c && c < threads[i].name + 16; c++)
			text_format(&s->object, strchr("<>&\"'", *c) ? "&#%d;" : "%c", *c);
		text_add(&s->object, "\"/>");
	}
	text_add(&s->object, "</threads>");
	return 0;
}

static int make_object(struct stub *s, const char *name, const char *annex)
{
	char buf[4096];
	int n = -ENOENT;

	if (strcmp(name, "features") == 0 && strcmp(annex, "target.xml") == 0) {
		n = load_registers(s);
		if (n >= 0)
			text_add(&s->object,
				registers_description(registers_have_avx(&s->registers)));
	} else if (strcmp(name, "threads") == 0) {
		n = make_threads(s);
	} else if (strcmp(name, "auxv") == 0) {
		n = target_read_file(s->target, "/proc/self/auxv", 0, buf, sizeof(buf));
		if (n > 0)
			text_add_bytes(&s->object, buf, (size_t)n);
	} else if (strcmp(name, "exec-file") == 0) {
		n = target_read_link(s->target, "/proc/self/exe", buf, sizeof(buf));
		if (n > 0)
			text_add(&s->object, buf);
	}
	return n;
}

/* "qXfer:NAME:read:ANNEX:OFFSET,LENGTH": made anew whenever it is read from its start. */
static void transfer(struct stub *s, char *arguments)
{
	char *save = NULL, empty[] = "";
	char *name = strtok_r(arguments, ":", &save), *verb = strtok_r(NULL, ":", &save);
	char *annex = save && *save == ':' ? empty : strtok_r(NULL, ":", &save);
	char *range = save ? save + (*save == ':') : empty;
	const char *end;
	uint64_t offset = 0;
	size_t len = 0;
	struct text t = {0};

	if (!name || !verb || !annex || strcmp(verb, "read") != 0 ||
		!parse_range(range, &offset, &len, &end)) {
		reply(s, "");
		return;
	}
	if (offset == 0) {
		text_free(&s->object);
		if (make_object(s, name, annex) < 0) {
			reply(s, "E00");
			return;
		}
	}
	size_t left = offset < s->object.len ? s->object.len - offset : 0;

	len = len < CHUNK_MAX ? len : CHUNK_MAX;
	text_add(&t, left > len ? "m" : "l");
	if (left)
		text_add_bytes(&t, s->object.data + offset, left < len ? left : len);
	reply_text(s, &t);
}

/* ---- Commands ---- */

static void query(struct stub *s, char *q)
{
	char text[64];

	if (string_starts(q, "qSupported")) {
		s->names_process = strstr(q, "multiprocess+");
		snprintf(text, sizeof(text), "PacketSize=%x;%s", PACKET_MAX,
			s->names_process ? "multiprocess+;" : "");
		struct text t = {0};

		text_add(&t, text);
		text_add(&t, "QStartNoAckMode+;qXfer:features:read+;qXfer:auxv:read+;"
			     "qXfer:threads:read+;qXfer:exec-file:read+;vContSupported+");
		reply_text(s, &t);
	} else if (string_starts(q, "qXfer:")) {
		transfer(s, q + strlen("qXfer:"));
	} else if (strcmp(q, "qfThreadInfo") == 0) {
		thread_info(s);
	} else if (strcmp(q, "qsThreadInfo") == 0) {
		reply(s, "l");
	} else if (strcmp(q, "qC") == 0) {
		struct text t = {0};

		text_add(&t, "QC");
		add_thread(s, &t, s->current);
		reply_text(s, &t);
	} else if (strcmp(q, "qAttached") == 0 || string_starts(q, "qAttached:")) {
		reply(s, "0");
	} else {
		reply(s, "");
	}
}

static void multi_letter(struct stub *s, const char *v, size_t len)
{
	if (strcmp(v, "vCont?") == 0)
		reply(s, "vCont;c;C;s;S");
	else if (string_starts(v, "vCont;"))
		continue_threads(s, v + strlen("vCont"));
	else if (string_starts(v, "vKill"))
		kill_program(s, true);
	else if (string_starts(v, "vFile:"))
		stub_file(&s->files, s->target, &s->stream, v + strlen("vFile:"), len);
	else
		reply(s, "");
}

static void command(struct stub *s, char *c, size_t len)
{
	switch (c[0]) {
	case '?':
		tell_stop(s);
		break;
	case 'g':
		read_registers(s);
		break;
	case 'G':
		write_registers(s, c + 1);
		break;
	case 'p':
		read_register(s, c + 1);
		break;
	case 'P':
		write_register(s, c + 1);
		break;
	case 'm':
		read_memory(s, c + 1);
		break;
	case 'M':
	case 'X':
		write_memory(s, c + 1, len - 1, c[0] == 'X');
		break;
	case 'H':
		set_thread(s, c + 1);
		break;
	case 'T':
		reply_result(s, is_thread(s, (uint32_t)parse_thread(c + 1, NULL)) ? 0 : -ESRCH);
		break;
	case 'c':
	case 's':
	case 'C':
	case 'S':
		continue_one(s, c[0], c + 1);
		break;
	case 'D':
		detach(s);
		break;
	case 'k':
		kill_program(s, false);
		break;
	case 'q':
		query(s, c);
		break;
	case 'Q':
		s->stream.no_acks |= strcmp(c, "QStartNoAckMode") == 0;
		reply(s, strcmp(c, "QStartNoAckMode") == 0 ? "OK" : "");
		break;
	case 'Z':
	case 'z':
		set_watch(s, c + 1, c[0] == 'Z');
		break;
	case 'v':
		multi_letter(s, c, len);
		break;
	default:
		reply(s, "");
	}
}

/* ---- The socket ---- */

int stub_fd(const struct stub *s)
{
	return s->stream.fd >= 0 ? s->stream.fd : s->listener;
}

static void accept_gdb(struct stub *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	memset(&s->stream, 0, sizeof(s->stream));
	s->stream.fd = fd;
	s->running = false;
	s->registers_tid = 0;
	(void)!target_stop(s->target);
	s->stopped = s->current = s->target->has_event ? s->target->event.tid : 1;
	s->signal = s->target->has_event && s->target->event.kind == DEBUG_EVENT_SIGNAL
			    ? gdb_signal(s->target->event.signal)
			    : SIGTRAP;
	s->target->has_event = false;
}

void stub_read(struct stub *s)
{
	static char content[PACKET_MAX + 1];
	size_t len = 0;
	enum packet_kind kind;

	if (s->stream.fd < 0) {
		accept_gdb(s);
		return;
	}
	if (packet_fill(&s->stream) == PACKET_CLOSED) {
		if (s->running || target_detach(s->target) < 0)
			(void)!target_detach(s->target);
		leave(s);
		return;
	}
	while (s->stream.fd >= 0 && (kind = packet_next(&s->stream, content, &len)) != PACKET_NONE)
		if (kind == PACKET_INTERRUPT)
			interrupt(s);
		else
			command(s, content, len);
}

void stub_tell_end(struct stub *s, int status, int signal)
{
	char text[32];

	if (s->stream.fd < 0)
		return;
	snprintf(text, sizeof(text), "%c%02x%s", signal ? 'X' : 'W',
		signal ? gdb_signal((unsigned)signal) : (unsigned)status & 0xff,
		s->names_process ? ";process:1" : "");
	reply(s, text);
	leave(s);
}

bool stub_has_left(const struct stub *s)
{
	return s->has_left;
}

static int listen_unix(struct stub *s, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(a.sun_path))
		return fail(
			ENAMETOOLONG, "cannot listen for gdb on %s: the path is too long", path);
	strcpy(a.sun_path, path);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&a, sizeof(a)) < 0 ||
		listen(s->listener, 1) < 0)
		return fail(errno, "cannot listen for gdb on %s: %s", path, strerror(errno));
	s->path = memory_string(path);
	return 0;
}

static int listen_tcp(struct stub *s, const char *address, unsigned port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int on = 1;

	if (inet_pton(AF_INET, address, &a.sin_addr) != 1)
		return fail(EINVAL, "cannot listen for gdb on %s: it is no address", address);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->listener >= 0)
		setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&a, sizeof(a)) < 0 ||
		listen(s->listener, 1) < 0)
		return fail(errno, "cannot listen for gdb on %s:%u: %s: choose another port",
			address, port, strerror(errno));
	return 0;
}

int stub_open(
	struct target *t, const char *path, const char *address, unsigned port, struct stub **out)
{
	struct stub *s = memory_new(1, sizeof(*s));

	s->target = t;
	s->stream.fd = s->listener = -1;
	int err = address ? listen_tcp(s, address, port) : listen_unix(s, path);

	if (err < 0) {
		stub_close(s);
		return err;
	}
	*out = s;
	return 0;
}

void stub_close(struct stub *s)
{
	if (s->stream.fd >= 0)
		close(s->stream.fd);
	if (s->listener >= 0)
		close(s->listener);
	if (s->path)
		unlink(s->path);
	free(s->path);
	text_free(&s->object);
	stub_files_close(&s->files);
	free(s);
}
