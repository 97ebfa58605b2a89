/* A program's registers from outside, in the order of Linux's user_regs_struct. */
#include "kernel/arch/inspect.h"

#include "abi/linux/errno.h"
#include "kernel/arch/mmu.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/local.h"
#include "kernel/lib/string.h"

#define VECTOR_BREAKPOINT 3
#define RFLAGS_TF 0x100ul
#define RFLAGS_SETTABLE 0x50dd5ul
#define ERESTARTNOHAND_SHOWN (-514l) /* what ptrace(2) shows of a call that begins again */

enum {
	R15,
	R14,
	R13,
	R12,
	RBP,
	RBX,
	R11,
	R10,
	R9,
	R8,
	RAX,
	RCX,
	RDX,
	RSI,
	RDI,
	ORIG_RAX,
	RIP,
	CS,
	EFLAGS,
	RSP,
	SS,
	FS_BASE,
	GS_BASE,
	DS,
	ES,
	FS,
	GS,
};

static struct thread_arch *current_arch(void)
{
	return (struct thread_arch *)thread_current();
}

void inspect_save(void)
{
	struct thread_arch *t = current_arch();
	irq_state state = irq_save();
	fpu_store(t);
	t->user_tls = thread_tls();
	t->user_gs = thread_user_gs();
	irq_restore(state);
}

void inspect_load(void)
{
	struct thread_arch *t = current_arch();
	thread_set_tls(t->user_tls);
	thread_set_user_gs(t->user_gs);
	if (fpu_load(t) < 0)
		fpu_reset(t);
}

void inspect_get_registers(const struct thread_arch *t, const struct trap_frame *f, bool restart,
	uint64_t r[DEBUG_N_REGISTERS])
{
	memset(r, 0, DEBUG_N_REGISTERS * sizeof(r[0]));
	memcpy(r, f, (RDI + 1) * sizeof(r[0])); /* the frame starts with the same ones */
	r[ORIG_RAX] = restart ? f->error : UINT64_MAX;
	if (restart)
		r[RAX] = (uint64_t)ERESTARTNOHAND_SHOWN;
	r[RIP] = f->rip;
	r[CS] = f->cs;
	r[EFLAGS] = f->rflags;
	r[RSP] = f->rsp;
	r[SS] = f->ss;
	r[FS_BASE] = t->user_tls;
	r[GS_BASE] = t->user_gs;
}

void inspect_set_registers(struct thread_arch *t, struct trap_frame *f, bool *restart,
	const uint64_t r[DEBUG_N_REGISTERS])
{
	uint64_t number = f->error;
	memcpy(f, r, (RDI + 1) * sizeof(r[0]));
	*restart = r[ORIG_RAX] != UINT64_MAX && (long)r[RAX] == ERESTARTNOHAND_SHOWN;
	if (*restart)
		f->error = number;
	else
		f->vector = 0; /* so that all of it is loaded */
	f->rip = min(r[RIP], USER_END);
	f->rflags = (f->rflags & ~RFLAGS_SETTABLE) | (r[EFLAGS] & RFLAGS_SETTABLE);
	f->rsp = r[RSP];
	if (r[FS_BASE] < USER_END)
		t->user_tls = r[FS_BASE];
	if (r[GS_BASE] < USER_END)
		t->user_gs = r[GS_BASE];
}

size_t inspect_fpu(const struct thread_arch *t, const void **state)
{
	*state = t->fpu;
	return fpu_size;
}

int inspect_set_fpu(struct thread_arch *t, const void *state, size_t size)
{
	if (size != fpu_size)
		return -EINVAL;
	memcpy(t->fpu, state, size);
	fpu_check(t->fpu, true);
	return 0;
}

void inspect_step(struct trap_frame *f)
{
	f->rflags |= RFLAGS_TF;
	f->vector = 0;
}

void inspect_step_end(struct trap_frame *f)
{
	f->rflags &= ~RFLAGS_TF;
}

uintptr_t inspect_breakpoint(const struct trap_frame *f)
{
	return f->vector == VECTOR_BREAKPOINT ? f->rip - 1 : 0;
}

void inspect_breakpoint_undo(struct trap_frame *f)
{
	f->rip--;
}

/* --- watched memory: SDM 3 17.2 --- */

unsigned watch_generation;
static uint64_t watched[DEBUG_WATCHES];
static uint64_t watch_control; /* DR7 */

#define DR7_ENABLE(i) (1ul << 2 * (i))
#define DR7_KIND(i, kind) ((uint64_t)(kind) << (16 + 4 * (i)))
#define DR7_LEN(i, code) ((uint64_t)(code) << (18 + 4 * (i)))

int inspect_watch(const struct debug_watch watches[DEBUG_WATCHES])
{
	static const uint8_t len_codes[9] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
	uint64_t control = 0;
	for (unsigned i = 0; i < DEBUG_WATCHES; i++) {
		const struct debug_watch *w = &watches[i];
		if (w->len == 0)
			continue;
		if (w->len > 8 || (w->len & (w->len - 1)) || w->address % w->len ||
			w->address >= USER_END ||
			(w->kind != DEBUG_WATCH_WRITE && w->kind != DEBUG_WATCH_ACCESS))
			return -EINVAL;
		control |= DR7_ENABLE(i) | DR7_KIND(i, w->kind) | DR7_LEN(i, len_codes[w->len]);
	}
	for (unsigned i = 0; i < DEBUG_WATCHES; i++)
		watched[i] = watches[i].len ? watches[i].address : 0;
	watch_control = control;
	__atomic_add_fetch(&watch_generation, 1, __ATOMIC_RELEASE);
	return 0;
}

void watch_load(struct cpu_local *c)
{
	c->watch_generation = __atomic_load_n(&watch_generation, __ATOMIC_ACQUIRE);
	__asm__ volatile("movq %0, %%dr7" : : "r"(0ul));
	__asm__ volatile("movq %0, %%dr0" : : "r"(watched[0]));
	__asm__ volatile("movq %0, %%dr1" : : "r"(watched[1]));
	__asm__ volatile("movq %0, %%dr2" : : "r"(watched[2]));
	__asm__ volatile("movq %0, %%dr3" : : "r"(watched[3]));
	__asm__ volatile("movq %0, %%dr7" : : "r"(watch_control));
}

void inspect_watch_here(void)
{
	irq_state state = irq_save();
	if (cpu_local()->watch_generation != watch_generation)
		watch_load(cpu_local());
	irq_restore(state);
}

uintptr_t watch_hit(void)
{
	uint64_t status;
	__asm__ volatile("movq %%dr6, %0" : "=r"(status));
	__asm__ volatile("movq %0, %%dr6" : : "r"(0ul));
	unsigned hit = status & 15;
	return hit && watch_control ? watched[__builtin_ctz(hit)] : 0;
}
