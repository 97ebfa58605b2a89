/*
 * Restartable sequences.  A thread is told when it comes back on another CPU, and when it was taken off its CPU other
 * than by a system call of its own, which sequences may not make: by the end of its slice, a page fault that slept, a
 * signal, or membarrier(2).  Blocking in calls costs nothing.
 */
#include "kernel/proc/rseq.h"

#include "abi/linux/errno.h"
#include "kernel/lib/string.h"
#include "kernel/proc/signal.h"

struct rseq { /* struct rseq, as of Linux 6.1 */
	uint32_t cpu_id_start, cpu_id;
	uint64_t sequence;
	uint32_t flags, pad[3];
};
_Static_assert(sizeof(struct rseq) == 32, "struct rseq");

struct rseq_sequence { /* struct rseq_cs */
	uint32_t version, flags;
	uint64_t start, length, abort;
};

#define CPU_UNINITIALIZED UINT32_MAX

static int tell_cpu(user_addr area, uint32_t start, uint32_t id)
{
	const uint32_t words[2] = {start, id};
	return copy_out(area, words, sizeof(words));
}

int rseq_register(user_addr area, uint32_t size, unsigned flags, uint32_t signature)
{
	struct task *t = task_current();
	bool same = t->rseq.va == area.va && size == sizeof(struct rseq);
	if (flags & RSEQ_FLAG_UNREGISTER) {
		if (flags != RSEQ_FLAG_UNREGISTER || !t->rseq.va || !same)
			return -EINVAL;
		if (t->rseq_signature != signature)
			return -EPERM;
		if (tell_cpu(area, 0, CPU_UNINITIALIZED) < 0)
			return -EFAULT;
		t->rseq = user_at(0);
		return 0;
	}
	if (flags)
		return -EINVAL;
	if (t->rseq.va)
		return !same ? -EINVAL : t->rseq_signature != signature ? -EPERM : -EBUSY;
	if (size != sizeof(struct rseq) || !is_aligned(area.va, 32) || !area.va)
		return -EINVAL;
	if (area.va >= USER_END)
		return -EFAULT;
	t->rseq = area;
	t->rseq_signature = signature;
	atomic_fetch_or(&t->thread.arch.user_work, WORK_RSEQ);
	return 0;
}

/* Whether the handler may be jumped to: the signature stands before it. */
static int check_sequence(const struct task *t, const struct rseq_sequence *s)
{
	uint32_t signature = 0;
	if (s->version != 0 || s->flags || s->start >= USER_END || s->abort >= USER_END ||
		s->length > USER_END || s->start + s->length < s->start || s->abort < 4 ||
		s->abort - s->start < s->length)
		return -EINVAL;
	int err = copy_in(&signature, user_at(s->abort - 4), sizeof(signature));
	return err < 0 ? err : signature == t->rseq_signature ? 0 : -EINVAL;
}

static int leave_sequence(const struct task *t, uint64_t at, struct trap_frame *f)
{
	struct rseq_sequence s;
	const uint64_t none = 0;
	int err = copy_in(&s, user_at(at), sizeof(s));
	if (err == 0)
		err = check_sequence(t, &s);
	if (err == 0)
		err = copy_out(
			user_offset(t->rseq, offsetof(struct rseq, sequence)), &none, sizeof(none));
	/* Outside of it the pointer was only left over. */
	if (err == 0 && trap_ip(f) - s.start < s.length)
		trap_set_ip(f, s.abort);
	return err;
}

void rseq_disturbed(struct trap_frame *f)
{
	struct task *t = task_current();
	if (!t->rseq.va)
		return;
	uint64_t sequence = 0;
	irq_state state = irq_save();
	uint32_t cpu = cpu_id();
	irq_restore(state);
	int err = tell_cpu(t->rseq, cpu, cpu);
	if (err == 0)
		err = copy_in(&sequence, user_offset(t->rseq, offsetof(struct rseq, sequence)),
			sizeof(sequence));
	if (err == 0 && sequence)
		err = leave_sequence(t, sequence, f);
	if (err < 0) {
		t->rseq = user_at(0);
		signal_force(SIGSEGV, SI_KERNEL, 0);
	}
}
