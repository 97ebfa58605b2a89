/*
 * Threads on and off this CPU.  What is the program's (FPU, FS and GS base) is exchanged only for
 * threads that have been in the program; the rest is a switch of stacks.
 */
#include "kernel/arch/switch.h"

#include "kernel/arch/mmu.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/local.h"
#include "kernel/lib/string.h"

_Static_assert(offsetof(struct cpu_local, self) == CPU_SELF, "offsets.h");
_Static_assert(offsetof(struct cpu_local, current) == CPU_CURRENT, "offsets.h");
_Static_assert(offsetof(struct cpu_local, kernel_sp) == CPU_KERNEL_SP, "offsets.h");
_Static_assert(offsetof(struct cpu_local, user_sp) == CPU_USER_SP, "offsets.h");
_Static_assert(offsetof(struct cpu_local, id) == CPU_ID, "offsets.h");
_Static_assert(offsetof(struct thread_arch, user_work) == THREAD_USER_WORK, "offsets.h");
_Static_assert(offsetof(struct trap_frame, rip) == FRAME_RIP, "offsets.h");

/* entry.S */
struct thread *switch_stacks(uint64_t **save_sp, uint64_t *load_sp, struct thread *previous);
void thread_begin(void);

static struct thread_arch *arch_of(struct thread *t)
{
	return (struct thread_arch *)t;
}

static struct thread_arch *current_arch(void)
{
	return arch_of(thread_current());
}

static uintptr_t fs_base_read(void)
{
	uintptr_t base;
	if (!(cpu_features & FEATURE_FSGSBASE))
		return current_arch()->user_tls; /* nobody but thread_set_tls() changes it */
	__asm__ volatile("rdfsbase %0" : "=r"(base));
	return base;
}

static void fs_base_write(uintptr_t base)
{
	if (cpu_features & FEATURE_FSGSBASE)
		__asm__ volatile("wrfsbase %0" : : "r"(base));
	else
		msr_write(MSR_FS_BASE, base);
}

static uintptr_t user_gs_read(void)
{
	uintptr_t base;
	if (!(cpu_features & FEATURE_FSGSBASE))
		return current_arch()->user_gs;
	irq_state s = irq_save();
	__asm__ volatile("swapgs; rdgsbase %0; swapgs" : "=r"(base) : : "memory");
	irq_restore(s);
	return base;
}

static void user_gs_write(uintptr_t base)
{
	msr_write(MSR_KERNEL_GS_BASE, base);
}

int thread_arch_init(struct thread_arch *t, void *stack_top, void (*entry)(void *), void *arg)
{
	int err = fpu_alloc(t);
	if (err < 0)
		return err;
	t->kernel_stack_top = stack_top;
	/* Below the place of the program's frame, as switch_stacks() and thread_begin will pop it; then
	 * rsp is 16-byte aligned. */
	uint64_t *sp = (uint64_t *)((struct trap_frame *)stack_top - 1) - 9;
	memset(sp, 0, 6 * sizeof(*sp));
	sp[6] = (uint64_t)thread_begin;
	sp[7] = (uint64_t)entry;
	sp[8] = (uint64_t)arg;
	t->sp = sp;
	return 0;
}

void thread_arch_destroy(struct thread_arch *t)
{
	fpu_free(t);
}

void thread_adopt(struct thread *t)
{
	struct cpu_local *c = cpu_local();
	struct thread_arch *a = arch_of(t);
	a->kernel_stack_top = (void *)c->kernel_sp; /* of the boot stack */
	c->current = t;
	descriptors_set_stack(c, a->kernel_stack_top);
}

struct thread *thread_switch(struct thread *previous, struct thread *next)
{
	struct cpu_local *c = cpu_local();
	struct thread_arch *from = arch_of(previous), *to = arch_of(next);
	if (from->fpu_where != FPU_UNUSED) {
		from->user_tls = fs_base_read();
		from->user_gs = user_gs_read();
		fpu_switch_out(c, from);
	}
	c->current = next;
	descriptors_set_stack(c, to->kernel_stack_top);
	if (to->fpu_where != FPU_UNUSED) {
		fs_base_write(to->user_tls);
		if (to->user_gs != from->user_gs || from->fpu_where == FPU_UNUSED)
			user_gs_write(to->user_gs);
		fpu_switch_in(c, to);
		if (unlikely(c->watch_generation != watch_generation))
			watch_load(c);
	}
	return switch_stacks(&from->sp, to->sp, previous);
}

struct trap_frame *thread_user_frame(struct thread *t)
{
	return (struct trap_frame *)arch_of(t)->kernel_stack_top - 1;
}

void thread_enter_user(uintptr_t ip, uintptr_t sp)
{
	struct thread_arch *t = current_arch();
	irq_disable();
	*thread_user_frame(thread_current()) = (struct trap_frame){
		.rip = min(ip, USER_END), /* iretq faults on a non-canonical one */
		.cs = USER_CS,
		.rflags = RFLAGS_IF | 2,
		.rsp = sp,
		.ss = USER_DS,
	};
	t->user_tls = t->user_gs = 0;
	fpu_reset(t);
	fs_base_write(0);
	user_gs_write(0);
	thread_resume_user();
}

void thread_copy_user(
	struct thread_arch *t, const struct trap_frame *parent, uintptr_t sp, uintptr_t tls)
{
	struct trap_frame *f = (struct trap_frame *)t->kernel_stack_top - 1;
	*f = *parent;
	f->rax = 0;
	if (sp)
		f->rsp = sp;
	t->user_tls = tls;
	t->user_gs = user_gs_read();
	fpu_copy(t);
}

uintptr_t thread_tls(void)
{
	return fs_base_read();
}

void thread_set_tls(uintptr_t tls)
{
	current_arch()->user_tls = tls;
	fs_base_write(tls);
}

uintptr_t thread_user_gs(void)
{
	return user_gs_read();
}

void thread_set_user_gs(uintptr_t base)
{
	current_arch()->user_gs = base;
	user_gs_write(base);
}
