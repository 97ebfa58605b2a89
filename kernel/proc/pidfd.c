/* pidfd_open(2).  The process outlives every descriptor; a thread's becomes readable when the thread is gone. */
#include "kernel/proc/pidfd.h"

#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "kernel/lib/format.h"

static struct task *task_of(const struct file *f)
{
	return f->object;
}

/* Out of the process's list: only its memory is left. */
static bool is_gone(const struct task *t)
{
	return list_empty(&t->link);
}

static unsigned pidfd_poll(struct file *f)
{
	return pidfd_is_thread(f) && is_gone(task_of(f)) ? POLLIN | POLLRDNORM : 0;
}

static int pidfd_describe(struct file *f, char *buf, size_t size)
{
	int tid = is_gone(task_of(f)) ? -1 : task_of(f)->thread.tid;
	return format(buf, size, "Pid:\t%d\nNSpid:\t%d\n", tid, tid);
}

static void pidfd_release(struct file *f)
{
	thread_put(&task_of(f)->thread);
}

static const struct file_ops pidfd_ops = {
	.kind = "[pidfd]",
	.poll = pidfd_poll,
	.describe = pidfd_describe,
	.release = pidfd_release,
};

bool pidfd_is_thread(const struct file *f)
{
	return f->flags & PIDFD_THREAD;
}

int pidfd_create(int pid, unsigned flags, struct file **out)
{
	if ((flags & ~(PIDFD_NONBLOCK | PIDFD_THREAD)) || pid <= 0)
		return -EINVAL;
	struct task *t = process_find_task(pid);
	if (!t)
		return -ESRCH;
	int err = pid != PROCESS_ID && !(flags & PIDFD_THREAD) ? -ENOENT : 0;
	if (err == 0)
		err = file_new(&pidfd_ops, t, O_RDWR | flags, out);
	if (err < 0)
		thread_put(&t->thread);
	else if (flags & PIDFD_THREAD)
		(*out)->ready = &process.tasks_changed;
	return err;
}

int pidfd_task(const struct file *f, struct task **out)
{
	if (f->ops != &pidfd_ops)
		return -EBADF;
	if (pidfd_is_thread(f) && is_gone(task_of(f)))
		return -ESRCH;
	*out = task_of(f);
	thread_get(&(*out)->thread);
	return 0;
}
