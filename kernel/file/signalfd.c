/*
 * signalfd(2): signals as records to read.  Which signals are pending is known above: kernel/proc hands that down.
 */
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "kernel/file/kinds.h"
#include "kernel/lib/format.h"
#include "kernel/mem/heap.h"

struct signalfd {
	_Atomic uint64_t mask;
};

static const struct signal_source *source;

#define UNBLOCKABLE (1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1))

void signalfd_set_source(const struct signal_source *s)
{
	source = s;
}

static bool is_fault(int signal)
{
	return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE ||
	       signal == SIGTRAP;
}

static void signalfd_convert(const struct linux_siginfo *in, struct linux_signalfd_siginfo *out)
{
	*out = (struct linux_signalfd_siginfo){.ssi_signo = (uint32_t)in->si_signo,
		.ssi_errno = in->si_errno,
		.ssi_code = in->si_code};
	if (in->si_code == SI_TIMER) {
		out->ssi_tid = (uint32_t)in->timer.timer_id;
		out->ssi_overrun = (uint32_t)in->timer.overrun;
		out->ssi_ptr = in->timer.value;
		out->ssi_int = (int32_t)in->timer.value;
	} else if (in->si_code > 0 && in->si_code != SI_KERNEL && is_fault(in->si_signo)) {
		out->ssi_addr = in->fault.address;
	} else {
		out->ssi_pid = (uint32_t)in->rt.pid;
		out->ssi_uid = in->rt.uid;
		out->ssi_ptr = in->rt.value;
		out->ssi_int = (int32_t)in->rt.value;
	}
}

/* One record; 0 when no signal is there. */
static long signalfd_read_one(struct signalfd *s, struct io_buffer *to)
{
	struct linux_siginfo info;
	struct linux_signalfd_siginfo record;
	if (!source->take(s->mask, &info))
		return 0;
	signalfd_convert(&info, &record);
	int err = io_buffer_put(to, &record, sizeof(record));
	return err < 0 ? err : (long)sizeof(record);
}

static long signalfd_read(struct file *f, struct io_buffer *to, uint64_t *offset)
{
	(void)offset;
	struct signalfd *s = f->object;
	if (to->left < sizeof(struct linux_signalfd_siginfo))
		return -EINVAL;
	long done = 0;
	while (to->left >= sizeof(struct linux_signalfd_siginfo)) {
		long n = signalfd_read_one(s, to);
		if (n > 0) {
			done += n;
			continue;
		}
		if (n < 0 || done)
			return done ? done : n;
		if (file_nonblocking(f))
			return -EAGAIN;
		int err = wait_event_interruptible(
			source->queue(), EPOLLIN, source->pending(s->mask), NO_DEADLINE);
		if (err < 0)
			return err;
	}
	return done;
}

static unsigned signalfd_poll(struct file *f)
{
	struct signalfd *s = f->object;
	return source->pending(s->mask) ? POLLIN | POLLRDNORM : 0;
}

static int signalfd_describe(struct file *f, char *buf, size_t size)
{
	struct signalfd *s = f->object;
	return format(buf, size, "sigmask:\t%016llx\n", (unsigned long long)s->mask);
}

static void signalfd_release(struct file *f)
{
	heap_free(f->object);
}

static const struct file_ops signalfd_ops = {
	.kind = "[signalfd]",
	.read = signalfd_read,
	.poll = signalfd_poll,
	.describe = signalfd_describe,
	.release = signalfd_release,
};

int signalfd_create(uint64_t mask, unsigned flags, struct file **out)
{
	if (flags & ~(SFD_NONBLOCK | SFD_CLOEXEC))
		return -EINVAL;
	if (!source)
		return -ENOSYS;
	struct signalfd *s = heap_zalloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->mask = mask & ~UNBLOCKABLE;
	int err = file_new(&signalfd_ops, s, O_RDWR | (flags & O_NONBLOCK), out);
	if (err < 0) {
		heap_free(s);
		return err;
	}
	(*out)->ready = source->queue();
	return 0;
}

int signalfd_set_mask(struct file *f, uint64_t mask)
{
	if (f->ops != &signalfd_ops)
		return -EINVAL;
	((struct signalfd *)f->object)->mask = mask & ~UNBLOCKABLE;
	wait_wake_all(f->ready, EPOLLIN);
	return 0;
}
