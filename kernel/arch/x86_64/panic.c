/*
 * The report of a kernel bug: what, registers, backtrace; then the machine ends.  The other CPUs are
 * stopped by NMI first.  A panic within a panic ends the machine at once.
 */
#include "kernel/arch/x86_64/panic.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/report.h"
#include "kernel/arch/x86_64/local.h"
#include "kernel/arch/x86_64/paging.h"
#include "kernel/lib/log.h"

#define PANIC_STATUS 125 /* "mote failed" */
#define FRAMES_MAX 32

static atomic_uint panicking; /* 1 + the CPU that does */

/* Kernel stacks, the image's included: what a frame pointer may point to. */
static bool is_kernel_stack(uintptr_t fp)
{
	return (fp >= (uintptr_t)rodata_end && fp < (uintptr_t)image_end - 16) ||
	       (fp >= KERNEL_WINDOW_START && fp < KERNEL_WINDOW_END) ||
	       (fp >= direct_map && fp < KERNEL_WINDOW_START);
}

static void describe_caller(struct text *t, uintptr_t ip)
{
	size_t offset;
	const char *name = symbol_find(ip, &offset);
	if (name)
		text_add(t, "  %016lx %s+%#zx\n", ip, name, offset);
	else
		text_add(t, "  %016lx\n", ip);
}

void backtrace_describe(struct text *t, uintptr_t ip, uintptr_t frame_pointer)
{
	describe_caller(t, ip);
	for (unsigned i = 0; i < FRAMES_MAX; i++) {
		if (!is_kernel_stack(frame_pointer) || frame_pointer & 7)
			return;
		const uintptr_t *frame = (const uintptr_t *)frame_pointer;
		if (frame[1] < (uintptr_t)image_start || frame[1] >= (uintptr_t)text_end)
			return;
		describe_caller(t, frame[1] - 1);
		if (frame[0] <= frame_pointer)
			return;
		frame_pointer = frame[0];
	}
}

static void stop_others(void)
{
	unsigned expected = 0, me = cpu_id() + 1;
	if (!atomic_compare_exchange_strong(&panicking, &expected, me)) {
		if (expected == me)
			machine_end("panic\n", PANIC_STATUS);
		for (;;)
			__asm__ volatile("cli; hlt");
	}
	smp_stop_others();
}

bool panic_stop_here(void)
{
	if (!atomic_load(&panicking))
		return false;
	for (;;)
		__asm__ volatile("cli; hlt");
}

static _Noreturn void report(
	const char *what, const struct trap_frame *f, uintptr_t ip, uintptr_t fp)
{
	static char buf[4096];
	struct text t;
	text_init(&t, buf, sizeof(buf));
	text_add(&t, "\nmote: kernel bug on CPU %u: %s\n", cpu_id(), what);
	if (f)
		t.len += (size_t)trap_describe(f, buf + t.len, sizeof(buf) - t.len);
	backtrace_describe(&t, ip, fp);
	log_text(t.buf, t.len);
	machine_end("panic\n", PANIC_STATUS);
}

static char message[256];

void panic(const char *fmt, ...)
{
	irq_disable();
	stop_others();
	va_list args;
	va_start(args, fmt);
	format_v(message, sizeof(message), fmt, args);
	va_end(args);
	report(message, NULL, (uintptr_t)__builtin_return_address(0) - 1,
		*(uintptr_t *)__builtin_frame_address(0));
}

void panic_frame(struct trap_frame *f, const char *fmt, ...)
{
	irq_disable();
	stop_others();
	va_list args;
	va_start(args, fmt);
	format_v(message, sizeof(message), fmt, args);
	va_end(args);
	report(message, f, f->rip, f->rbp);
}
