/*
 * Signal frames, exactly as Linux lays them out on x86-64: Go, the JVM and unwinders read and write
 * them.  From the stack pointer up: return address (the restorer), ucontext, siginfo; above that,
 * 64-byte aligned, the FPU state in XSAVE's standard format with Linux's marks:
 *     sw_reserved (legacy part, byte 464): magic1, sizes, features;  behind the state: magic2.
 */
#include "abi/linux/errno.h"
#include "kernel/arch/mmu.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/local.h"
#include "kernel/lib/endian.h"
#include "kernel/lib/string.h"

#define UC_FP_XSTATE 1
#define UC_SIGCONTEXT_SS 2
#define UC_STRICT_RESTORE_SS 4
#define FP_XSTATE_MAGIC1 0x46505853
#define FP_XSTATE_MAGIC2 0x46505845
#define RED_ZONE 128

#define RFLAGS_TF 0x100ul
#define RFLAGS_DF 0x400ul
#define RFLAGS_RF 0x10000ul
/* What sigreturn may set: OF DF SF ZF AF PF CF, TF, RF, AC; not IF, IOPL, NT. */
#define RFLAGS_RESTORED 0x50dd5ul

struct sigcontext {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	uint16_t cs, gs, fs, ss;
	uint64_t error, vector, old_mask, cr2, fpu_state, reserved[8];
};

struct ucontext {
	uint64_t flags, link;
	struct linux_stack stack;
	struct sigcontext context;
	uint64_t mask;
};

struct rt_frame {
	uint64_t restorer;
	struct ucontext uc;
	struct linux_siginfo info;
};
_Static_assert(
	sizeof(struct sigcontext) == 256 && sizeof(struct rt_frame) == 440, "Linux's layout");

struct software_bytes { /* struct _fpx_sw_bytes */
	uint32_t magic1, extended_size;
	uint64_t features;
	uint32_t size, pad[7];
};
_Static_assert(sizeof(struct software_bytes) == 48, "Linux's layout");

static struct thread_arch *current_arch(void)
{
	return (struct thread_arch *)thread_current();
}

/* Bytes of FPU state in a frame, the second mark included. */
static size_t state_size(void)
{
	return fpu_mask ? fpu_size + sizeof(uint32_t) : fpu_size;
}

static int push_state(uintptr_t to)
{
	uint8_t *area = current_arch()->fpu;
	fpu_store(current_arch());
	if (fpu_mask) {
		struct software_bytes sw = {FP_XSTATE_MAGIC1, (uint32_t)state_size(), fpu_mask,
			(uint32_t)fpu_size, {0}};
		memcpy(area + FPU_SOFTWARE_OFFSET, &sw, sizeof(sw));
		/* Linux says that x87 and SSE are always there; XSAVE has written them. */
		struct xsave_header *h = (void *)(area + FPU_LEGACY_SIZE);
		h->present |= 3;
	}
	int err = copy_out(user_at(to), area, fpu_size);
	uint32_t magic2 = FP_XSTATE_MAGIC2;
	if (err >= 0 && fpu_mask)
		err = copy_out(user_at(to + fpu_size), &magic2, sizeof(magic2));
	return err;
}

/* clang-format off */
#define SAME_REGISTERS(x) \
	.r8 = (x)->r8, .r9 = (x)->r9, .r10 = (x)->r10, .r11 = (x)->r11, \
	.r12 = (x)->r12, .r13 = (x)->r13, .r14 = (x)->r14, .r15 = (x)->r15, \
	.rdi = (x)->rdi, .rsi = (x)->rsi, .rbp = (x)->rbp, .rbx = (x)->rbx, \
	.rdx = (x)->rdx, .rax = (x)->rax, .rcx = (x)->rcx, .rsp = (x)->rsp
/* clang-format on */

static void fill_context(
	struct sigcontext *c, const struct trap_frame *f, const struct signal_frame *s)
{
	*c = (struct sigcontext){
		SAME_REGISTERS(f),
		.rip = f->rip,
		.rflags = f->rflags,
		.cs = USER_CS,
		.ss = USER_DS,
		.error = s->fault_error,
		.vector = s->fault_vector,
		.old_mask = s->old_mask,
		.cr2 = s->fault_address,
	};
}

int trap_push_signal(struct trap_frame *f, const struct signal_frame *s)
{
	if (!(s->flags & SA_RESTORER))
		return -EFAULT;
	uintptr_t sp = s->on_altstack ? s->altstack.sp + s->altstack.size : f->rsp - RED_ZONE;
	uintptr_t state = align_down(sp - state_size(), 64);
	uintptr_t at = align_down(state - sizeof(struct rt_frame), 16) - 8;
	if (at > sp || (s->on_altstack && at < s->altstack.sp))
		return -EFAULT;
	int err = push_state(state);
	if (err < 0)
		return err;
	struct rt_frame frame = {.restorer = s->restorer.va, .info = *s->info};
	frame.uc.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (fpu_mask ? UC_FP_XSTATE : 0);
	frame.uc.stack = s->altstack;
	frame.uc.mask = s->old_mask;
	fill_context(&frame.uc.context, f, s);
	frame.uc.context.fpu_state = state;
	err = copy_out(user_at(at), &frame, sizeof(frame));
	if (err < 0)
		return err;
	f->rdi = (uint64_t)s->signal;
	f->rsi = at + offsetof(struct rt_frame, info);
	f->rdx = at + offsetof(struct rt_frame, uc);
	f->rax = 0;
	f->rip = min(s->handler.va, USER_END);
	f->rsp = at;
	f->rflags &= ~(RFLAGS_DF | RFLAGS_RF | RFLAGS_TF);
	f->vector = 0; /* no longer a system call to restart */
	fpu_reset(current_arch());
	return 0;
}

static bool marks_are_there(const uint8_t *area, uintptr_t from)
{
	struct software_bytes sw;
	uint32_t magic2;
	memcpy(&sw, area + FPU_SOFTWARE_OFFSET, sizeof(sw));
	return sw.magic1 == FP_XSTATE_MAGIC1 && sw.size == fpu_size &&
	       copy_in(&magic2, user_at(from + fpu_size), sizeof(magic2)) >= 0 &&
	       magic2 == FP_XSTATE_MAGIC2;
}

static int pop_state(uintptr_t from)
{
	struct thread_arch *t = current_arch();
	if (!from) {
		fpu_reset(t);
		return 0;
	}
	/* copy_in() may sleep: from here on the area is the truth, not the registers. */
	t->fpu_where = FPU_MEMORY;
	bool extended = false;
	int err = copy_in(t->fpu, user_at(from), FPU_LEGACY_SIZE);
	if (err >= 0 && fpu_mask && marks_are_there(t->fpu, from)) {
		extended = true;
		err = copy_in((uint8_t *)t->fpu + FPU_LEGACY_SIZE, user_at(from + FPU_LEGACY_SIZE),
			fpu_size - FPU_LEGACY_SIZE);
	}
	if (err >= 0) {
		fpu_check(t->fpu, extended);
		err = fpu_load(t);
	}
	if (err < 0)
		fpu_reset(t);
	return err;
}

int trap_pop_signal(struct trap_frame *f, uint64_t *mask, struct linux_stack *altstack)
{
	struct ucontext uc;
	/* The handler's return took the restorer's address off. */
	int err = copy_in(&uc, user_at(f->rsp), sizeof(uc));
	if (err >= 0)
		err = pop_state(uc.context.fpu_state);
	if (err < 0)
		return err;
	const struct sigcontext *c = &uc.context;
	*f = (struct trap_frame){
		SAME_REGISTERS(c),
		.rip = min(c->rip, USER_END), /* iretq faults on a non-canonical one */
		.rflags = (f->rflags & ~RFLAGS_RESTORED) | (c->rflags & RFLAGS_RESTORED),
		.cs = USER_CS,
		.ss = USER_DS,
	};
	*mask = uc.mask;
	*altstack = uc.stack;
	return 0;
}
