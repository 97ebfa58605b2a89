/*
 * Watching system calls: one record each for the host (abi/channel.h), which shows it in strace's words; without a
 * host channel one plain line each on the console.  Also how often each call was made, and which are allowed at all.
 */
#include "kernel/syscall/trace.h"

#include "abi/channel.h"
#include "abi/linux/signal.h"
#include "kernel/arch/timer.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/proc/process.h"
#include "kernel/proc/signal.h"

#define RECORD_SIZE 2048u
#define DATA_SIZE 32u /* bytes of a buffer, as strace */
#define DATA_SIZE_MAX 1024u

bool syscalls_watched;

struct trace {
	struct trace_record record;
	struct capture_buffer pieces;
	uint8_t bytes[RECORD_SIZE];
};

/* Set once, before the program runs: */
static uint8_t (*codes)[6]; /* by number: NULL: no trace */
static bool *traced;        /* by number */
static bool *allowed;       /* by number; NULL: all are */
static bool deny_ends;      /* a call that is not allowed ends the program */
static struct capture_options shown = {DATA_SIZE, false};
static syscall_watch_sender host_send; /* NULL: to the console */
static _Atomic uint64_t *counts;       /* by number; NULL: nobody counts */

/* --- what is wanted --- */

static bool mark(bool *set, const char *name, size_t len)
{
	for (unsigned i = 0; i < SYSCALL_NUMBERS; i++) {
		const char *its = syscall_find(i)->name;
		if (its && strncmp(its, name, len) == 0 && its[len] == '\0') {
			set[i] = true;
			return true;
		}
	}
	return false;
}

/* NAME,NAME,... */
static bool *names_to_set(const char *list, const char *option)
{
	bool *set = heap_zalloc(SYSCALL_NUMBERS + 1);
	while (set && *list) {
		size_t n = 0;
		while (list[n] && list[n] != ',')
			n++;
		if (n > 0 && !mark(set, list, n))
			log_warn("%s: there is no system call %.*s", option, (int)n, list);
		list += n + (list[n] == ',');
	}
	return set;
}

static void make_codes(void)
{
	codes = heap_zalloc((SYSCALL_NUMBERS + 1) * sizeof(*codes));
	for (unsigned i = 0; codes && i < SYSCALL_NUMBERS; i++)
		if (syscall_find(i)->name)
			capture_codes(syscall_find(i)->signature, codes[i]);
}

void syscall_watch_configure(const struct syscall_watch_options *o)
{
	if (o->trace && strcmp(o->trace, "syscall") != 0)
		traced = names_to_set(o->trace, "mote.trace");
	if (o->trace)
		make_codes();
	if (o->allow) {
		allowed = names_to_set(o->allow, "mote.allow");
		(void)(allowed && mark(allowed, "exit", 4) && mark(allowed, "exit_group", 10) &&
			mark(allowed, "rt_sigreturn", 12));
	}
	if (o->count)
		counts = heap_zalloc((SYSCALL_NUMBERS + 1) * sizeof(*counts));
	if (o->trace_size)
		shown.data_size = min(o->trace_size, DATA_SIZE_MAX);
	shown.paths = o->trace_paths;
	deny_ends = o->allow_or_end;
	host_send = o->send;
	syscalls_watched = codes || allowed || counts;
}

void syscall_watch_finish(void)
{
	if (!counts || !host_send)
		return;
	host_send(CHANNEL_CALLS, counts, SYSCALL_NUMBERS * sizeof(*counts), NULL, 0);
}

/* --- records --- */

/* Numbers the table does not have share one slot. */
static unsigned slot(unsigned number)
{
	return min(number, SYSCALL_NUMBERS);
}

static struct trace *begin(unsigned number, const struct syscall_args *args)
{
	struct trace *t = heap_alloc(sizeof(*t));
	if (!t)
		return NULL;
	t->record = (struct trace_record){
		.start_ns = clock_realtime_ns(),
		.tid = (uint32_t)task_current()->thread.tid,
		.number = (uint16_t)min(number, (unsigned)UINT16_MAX),
	};
	memcpy(t->record.args, args->a, sizeof(t->record.args));
	t->pieces = (struct capture_buffer){t->bytes, RECORD_SIZE, 0, 0};
	capture_arguments(&t->pieces, codes[slot(number)], args, TRACE_BEFORE, 0, &shown);
	return t;
}

static void print(const struct trace *t)
{
	const struct trace_record *r = &t->record;
	const struct syscall_entry *e = syscall_find(r->number);
	char line[512];
	struct text text;
	text_init(&text, line, sizeof(line));
	text_add(&text, "[%u] %s(", r->tid, e->name ? e->name : "?");
	for (unsigned i = 0; i < 6; i++)
		text_add(&text, "%s%#lx", i ? ", " : "", (unsigned long)r->args[i]);
	text_add(&text, ") = %ld", (long)r->result);
	const struct trace_piece *p = (const struct trace_piece *)t->bytes;
	if (string_starts_with(e->signature, "path") && t->pieces.n_pieces > 0)
		text_add(&text, " \"%.*s\"", (int)p->len, (const char *)(p + 1));
	text_add(&text, "\n");
	log_text(line, text.len);
}

static void send(struct trace *t)
{
	t->record.n_pieces = (uint8_t)t->pieces.n_pieces;
	if (host_send)
		host_send(CHANNEL_TRACE, &t->record, sizeof(t->record), t->bytes, t->pieces.len);
	else
		print(t);
	heap_free(t);
}

void trace_ends(struct trace *t)
{
	if (!t)
		return;
	t->record.flags |= TRACE_ENDS;
	send(t);
}

static void end(struct trace *t, const struct syscall_args *args, long result)
{
	int restart = task_current()->restart;
	t->record.result = result;
	t->record.duration_ns = clock_realtime_ns() - t->record.start_ns;
	if (result == -EINTR && restart)
		t->record.flags |= restart == ERESTARTSYS ? TRACE_RESTART : TRACE_RESTART_NOHANDLER;
	capture_arguments(
		&t->pieces, codes[slot(t->record.number)], args, TRACE_AFTER, result, &shown);
	send(t);
}

/* --- what is not allowed --- */

static long refuse_call(const struct syscall_entry *e, unsigned number)
{
	static _Atomic uint8_t said[SYSCALL_NUMBERS + 1];
	if (!atomic_exchange(&said[slot(number)], 1))
		log_warn("system call %s (%u) is not on the list of allowed ones: %s",
			e->name ? e->name : "?", number, deny_ends ? "the program ends" : "EPERM");
	if (deny_ends)
		process_killed(
			SIGSYS, &(struct linux_siginfo){.si_signo = SIGSYS}, task_current()->frame);
	return -EPERM;
}

long syscall_watch(const struct syscall_entry *e, unsigned number, struct syscall_args *args,
	syscall_maker make)
{
	bool wanted = codes && (!traced || traced[slot(number)]);
	bool may = !allowed || allowed[slot(number)];
	struct trace *t = wanted ? begin(number, args) : NULL;
	if (counts)
		counts[slot(number)]++;
	args->trace = t;
	if (t && !may)
		t->record.flags |= TRACE_REFUSED;
	if (e->flags & ENDS) {
		trace_ends(t);
		t = NULL;
	}
	long result = may ? make(e, args) : refuse_call(e, number);
	if (t)
		end(t, args, result);
	return result;
}
