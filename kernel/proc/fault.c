/*
 * What traps bring up (kernel/arch/upcall.h): page faults, other exceptions of the program, the way back to it, the
 * power button.
 */
#include "abi/linux/errno.h"
#include "kernel/arch/upcall.h"
#include "kernel/lib/log.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/rseq.h"
#include "kernel/proc/signal.h"

static int resolve(uintptr_t address, unsigned access)
{
	rw_lock_read(&process.space_lock);
	int err = address_space_fault(&process.space, address, access);
	rw_unlock_read(&process.space_lock);
	if (err != -EAGAIN)
		return err;
	rw_lock_write(&process.space_lock);
	err = address_space_fault(&process.space, address, access);
	rw_unlock_write(&process.space_lock);
	return err;
}

int process_populate(uintptr_t start, uintptr_t end, unsigned prot)
{
	int err = 0;
	for (uintptr_t at = start; at < end && err == 0; at += PAGE_SIZE) {
		rw_lock_read(&process.space_lock);
		const struct area *a = area_at(&process.space, at);
		unsigned access = FAULT_USER;
		/* Private pages are copied at once where they may be written: that is what a later write needs. */
		if (a &&
			(prot == MMU_WRITE || ((a->prot & MMU_WRITE) && !(a->flags & AREA_SHARED))))
			access |= FAULT_WRITE;
		if (!a)
			err = -ENOMEM;
		else if (a->prot != 0 || prot == MMU_WRITE)
			err = address_space_fault(&process.space, at, access);
		rw_unlock_read(&process.space_lock);
		if (thread_interrupted())
			err = -EINTR;
	}
	return err;
}

/* A flush of translations interrupts every CPU and waits for it: a barrier to each. */
void process_barrier(void)
{
	atomic_thread_fence(memory_order_seq_cst);
	rw_lock_read(&process.space_lock);
	mmu_flush(&process.space.mmu, USER_START, USER_START + PAGE_SIZE);
	rw_unlock_read(&process.space_lock);
	atomic_thread_fence(memory_order_seq_cst);
}

/* Sleepers are told, too, which does no harm. */
void process_disturb_sequences(void)
{
	irq_state state = spin_lock(&process.lock);
	struct task *t;
	list_for_each (t, &process.tasks, link)
		atomic_fetch_or(&t->thread.arch.user_work, WORK_RSEQ);
	spin_unlock(&process.lock, state);
	process_barrier();
}

static void send_fault(const struct trap_frame *f, uintptr_t address, int err)
{
	task_current()->fault = (struct user_fault_context){
		.address = address,
		.vector = trap_fault_vector(f),
		.error = trap_fault_error(f),
	};
	if (err == -EIO)
		signal_force(SIGBUS, BUS_ADRERR, address);
	else
		signal_force(SIGSEGV, err == -EACCES ? SEGV_ACCERR : SEGV_MAPERR, address);
}

int page_fault(struct trap_frame *f, uintptr_t address, unsigned access)
{
	struct thread *self = thread_current();
	uint64_t n_sleeps = self->n_voluntary;
	int err = resolve(address, access);
	if (unlikely(self->n_voluntary != n_sleeps))
		atomic_fetch_or(&self->arch.user_work, WORK_RSEQ);
	if (likely(err == 0))
		return 0;
	if (err == -ENOMEM && (access & FAULT_USER))
		process_out_of_memory("the program touched memory the machine does not have");
	if (err == -ENOMEM) {
		/* Locks may be held here: end on the way out. */
		process.out_of_memory = true;
		thread_notify(thread_current(), WORK_SIGNAL);
	} else if (access & FAULT_USER) {
		send_fault(f, address, err);
	}
	return -EFAULT;
}

void user_exception(struct trap_frame *f, const struct user_fault *fault)
{
	(void)f;
	struct task *t = task_current();
	t->fault.vector = fault->vector;
	t->fault.error = fault->error;
	signal_force(fault->signal, fault->code, fault->address);
}

void user_return(struct trap_frame *f)
{
	struct task *t = task_current();
	unsigned work = atomic_load(&t->thread.arch.user_work);
	if (work & WORK_EXIT)
		process_exit_thread(SIGKILL);
	if (unlikely(process.out_of_memory))
		process_out_of_memory("a system call found no memory");
	if (work & WORK_RSEQ) {
		atomic_fetch_and(&t->thread.arch.user_work, ~WORK_RSEQ);
		rseq_disturbed(f);
	}
	if (work & WORK_SIGNAL)
		signal_deliver(f);
	if (work & WORK_RESCHEDULE)
		thread_preempt();
}

void power_button(void)
{
	if (process.n_tasks == 0) {
		log_warn("power button before the program started");
		machine_end("killed 15\n", 128 + SIGTERM);
	}
	const struct linux_siginfo info = {.si_code = SI_KERNEL};
	(void)!signal_send_process(process.stopped ? SIGKILL : SIGTERM, &info);
}
