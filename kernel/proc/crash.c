/*
 * The report of a program's death, as a debugger would begin: signal, address, registers, the mappings that code,
 * stack and fault lie in, and the callers by frame pointer as far as they go.
 */
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/queue.h"

#define CALLERS_MAX 24u
#define REPORT_SIZE 6144u

int crash_describe_address(uintptr_t address, char *buf, size_t size)
{
	rw_lock_read(&process.space_lock);
	const struct area *a = area_at(&process.space, address);
	int n;
	if (!a)
		n = format(buf, size, "%#lx (not mapped)", address);
	else
		n = format(buf, size, "%#lx %s+%#lx (%c%c%c %lx-%lx)", address,
			a->name ? a->name : "[anonymous]",
			address - a->start + (a->cache ? a->offset : 0),
			a->prot & MMU_READ ? 'r' : '-', a->prot & MMU_WRITE ? 'w' : '-',
			a->prot & MMU_EXEC ? 'x' : '-', a->start, a->end);
	rw_unlock_read(&process.space_lock);
	return n;
}

static void add_address(struct text *t, const char *what, uintptr_t address)
{
	char where[256];
	crash_describe_address(address, where, sizeof(where));
	text_add(t, "mote:   %s %s\n", what, where);
}

/* Every line of the report says who speaks. */
static void add_lines(struct text *t, const char *lines)
{
	while (*lines) {
		const char *end = strchr(lines, '\n');
		int n = end ? (int)(end - lines) : (int)strlen(lines);
		text_add(t, "mote:   %.*s\n", n, lines);
		lines += end ? n + 1 : n;
	}
}

/* "SEGV_MAPERR: no mapping there" */
static const char *code_name(int signal, int code)
{
	if (code <= 0)
		return code == SI_TKILL ? "sent by the program itself" : "sent";
	if (signal == SIGSEGV)
		return code == SEGV_MAPERR   ? "nothing is mapped there"
		       : code == SEGV_ACCERR ? "the mapping does not allow it"
					     : "the processor refused the access";
	if (signal == SIGBUS)
		return code == BUS_ADRERR ? "beyond the end of the mapped file, or unreadable"
					  : "misaligned";
	if (signal == SIGFPE)
		return code == FPE_INTDIV ? "integer division by zero" : "arithmetic";
	if (signal == SIGILL)
		return "illegal instruction";
	return "by the kernel";
}

static bool has_address(int signal, const struct linux_siginfo *info)
{
	return info && info->si_code > 0 && info->si_code != SI_KERNEL &&
	       (signal == SIGSEGV || signal == SIGBUS);
}

/* Return addresses along the chain of frame pointers; nonsense ends it. */
static void add_callers(struct text *t, const struct trap_frame *f)
{
	uintptr_t frame = trap_fp(f), last = trap_sp(f);
	add_address(t, " #0 ", trap_ip(f));
	for (unsigned i = 1; i < CALLERS_MAX && frame >= last && frame % 8 == 0; i++) {
		uintptr_t pair[2]; /* the caller's frame, where it goes on */
		char number[16];
		if (copy_in(pair, user_at(frame), sizeof(pair)) < 0 || pair[1] == 0)
			break;
		format(number, sizeof(number), " #%-2u", i);
		add_address(t, number, pair[1]);
		last = frame + sizeof(pair);
		frame = pair[0];
	}
}

static void add_details(
	struct text *t, int signal, const struct linux_siginfo *info, const struct trap_frame *f)
{
	static char registers[1024]; /* one report, by the reaper */
	trap_describe(f, registers, sizeof(registers));
	add_lines(t, registers);
	add_address(t, "code: ", trap_ip(f));
	add_address(t, "stack:", trap_sp(f));
	if (has_address(signal, info))
		add_address(t, "fault:", info->fault.address);
	add_lines(t, "callers (by frame pointer; code without one breaks the chain):");
	add_callers(t, f);
}

void crash_report(int signal, const struct linux_siginfo *info, const struct trap_frame *f)
{
	static char buf[REPORT_SIZE];
	struct text t;
	text_init(&t, buf, sizeof(buf));
	const struct task *task = task_current();
	text_add(&t, "mote: %s ended by %s",
		process.executable ? process.executable : "the program", signal_name(signal));
	if (has_address(signal, info))
		text_add(&t, " at address %#lx", info->fault.address);
	text_add(&t, ": %s (thread %d, %s)\n", code_name(signal, info ? info->si_code : 0),
		task->thread.tid, task->thread.name);
	if (signal_default_action(signal) == DEFAULT_CORE)
		add_details(&t, signal, info, f);
	log_text(buf, t.len);
}
