/* Fetching what calls share: see user.h. */
#include "kernel/syscall/user.h"

#include "abi/linux/errno.h"
#include "kernel/arch/timer.h"
#include "kernel/file/fd_table.h"
#include "kernel/mem/heap.h"

/* --- paths --- */

int user_path_get(struct user_path *p, user_addr from)
{
	p->large = NULL;
	p->text = p->small;
	long n = user_string(p->small, from, sizeof(p->small));
	if (likely(n != -ENAMETOOLONG))
		return n < 0 ? (int)n : 0;
	p->text = p->large = heap_alloc(PATH_MAX);
	if (!p->large)
		return -ENOMEM;
	n = user_string(p->large, from, PATH_MAX);
	if (n < 0)
		heap_free(p->large);
	return n < 0 ? (int)n : 0;
}

void user_path_put(struct user_path *p)
{
	if (p->large)
		heap_free(p->large);
}

/* The directory behind a descriptor, counted. */
static int base_of(int dir, bool any_file, struct dentry **out)
{
	struct file *f = NULL;
	int err = fd_get(dir, &f);
	if (err < 0)
		return err;
	if (f->dentry) {
		*out = f->dentry;
		dentry_get(*out);
	} else {
		err = any_file ? vfs_file_dentry(f, out) : -ENOTDIR;
	}
	file_put(f);
	return err;
}

int place_get(struct place *p, int dir, user_addr path, unsigned at_flags)
{
	p->base = NULL;
	p->lookup = 0;
	int err = user_path_get(&p->path, path);
	if (err < 0)
		return err;
	bool empty = p->path.text[0] == '\0' && (at_flags & AT_EMPTY_PATH);
	if (empty)
		p->lookup = LOOKUP_EMPTY;
	if (dir != AT_FDCWD && p->path.text[0] != '/')
		err = base_of(dir, empty, &p->base);
	if (err < 0)
		user_path_put(&p->path);
	return err;
}

int place_base(struct place *p, int dir)
{
	return p->base ? 0 : base_of(dir, false, &p->base);
}

void place_put(struct place *p)
{
	user_path_put(&p->path);
	if (p->base)
		dentry_put(p->base);
}

int place_lookup(int dir, user_addr path, unsigned at_flags, unsigned lookup, struct dentry **out)
{
	struct place p;
	int err = place_get(&p, dir, path, at_flags);
	if (err < 0)
		return err;
	err = vfs_lookup(p.base, p.path.text, lookup | p.lookup, out);
	place_put(&p);
	return err;
}

/* --- pieces --- */

_Static_assert(
	sizeof(struct io_piece) == 16 && offsetof(struct io_piece, len) == 8, "struct iovec");

static int check_pieces(struct user_pieces *p)
{
	p->bytes = 0;
	for (unsigned i = 0; i < p->n; i++) {
		if ((long)p->pieces[i].len < 0)
			return -EINVAL;
		p->pieces[i].len = min(p->pieces[i].len, TRANSFER_MAX - p->bytes);
		p->bytes += p->pieces[i].len;
	}
	return 0;
}

int user_pieces_get(struct user_pieces *p, user_addr iov, unsigned long n)
{
	p->pieces = p->small;
	p->n = (unsigned)n;
	if (n > PIECES_MAX)
		return -EINVAL;
	if (n > array_size(p->small)) {
		p->pieces = heap_array(n, sizeof(struct io_piece));
		if (!p->pieces)
			return -ENOMEM;
	}
	int err = copy_in(p->pieces, iov, n * sizeof(struct io_piece));
	if (err == 0)
		err = check_pieces(p);
	if (err < 0)
		user_pieces_put(p);
	return err;
}

void user_pieces_put(struct user_pieces *p)
{
	if (p->pieces != p->small)
		heap_free(p->pieces);
}

/* --- times --- */

#define SECONDS_MAX (INT64_MAX / (int64_t)NS_PER_S)

int timespec_to_ns(const struct linux_timespec *t, uint64_t *ns)
{
	if (t->tv_sec < 0 || t->tv_nsec < 0 || t->tv_nsec >= (int64_t)NS_PER_S)
		return -EINVAL;
	/* Longer than anything lasts: for ever, as on Linux. */
	*ns = t->tv_sec >= SECONDS_MAX ? INT64_MAX
				       : (uint64_t)t->tv_sec * NS_PER_S + (uint64_t)t->tv_nsec;
	return 0;
}

int timeval_to_ns(const struct linux_timeval *t, uint64_t *ns)
{
	if (t->tv_usec < 0 || t->tv_usec >= 1000000)
		return -EINVAL;
	const struct linux_timespec spec = {t->tv_sec, t->tv_usec * (int64_t)NS_PER_US};
	return timespec_to_ns(&spec, ns);
}

int user_timespec(user_addr from, uint64_t *ns)
{
	struct linux_timespec t;
	int err = copy_in(&t, from, sizeof(t));
	return err < 0 ? err : timespec_to_ns(&t, ns);
}

int user_timeval(user_addr from, uint64_t *ns)
{
	struct linux_timeval t;
	int err = copy_in(&t, from, sizeof(t));
	return err < 0 ? err : timeval_to_ns(&t, ns);
}

struct linux_timespec timespec_of(uint64_t ns)
{
	return (struct linux_timespec){(int64_t)(ns / NS_PER_S), (int64_t)(ns % NS_PER_S)};
}

struct linux_timeval timeval_of(uint64_t ns)
{
	return (struct linux_timeval){
		(int64_t)(ns / NS_PER_S), (int64_t)(ns % NS_PER_S / NS_PER_US)};
}

int user_put_timespec(user_addr to, uint64_t ns)
{
	struct linux_timespec t = timespec_of(ns);
	return copy_out(to, &t, sizeof(t));
}

uint64_t deadline_begin(uint64_t span_ns)
{
	struct task *t = task_current();
	if (t->resume_deadline) {
		t->resume_deadline = false;
		return t->deadline_ns;
	}
	uint64_t now_ns = clock_monotonic_ns();
	t->deadline_ns = span_ns > NO_DEADLINE - now_ns ? NO_DEADLINE : now_ns + span_ns;
	return t->deadline_ns;
}

long deadline_end(long result)
{
	if (result != -EINTR)
		task_current()->deadline_ns = NO_DEADLINE;
	return result;
}

/* --- the rest --- */

int user_sigset(user_addr from, size_t size, uint64_t *out)
{
	if (size != sizeof(*out))
		return -EINVAL;
	return copy_in(out, from, sizeof(*out));
}

long install(struct file *f, unsigned open_flags)
{
	int fd = fd_install(f, 0, open_flags & O_CLOEXEC ? FD_CLOEXEC_FLAG : 0);
	if (fd < 0)
		file_put(f);
	return fd;
}

long install_pair(struct file *a, struct file *b, unsigned open_flags, user_addr to)
{
	long first = install(a, open_flags);
	if (first < 0) {
		file_put(b);
		return first;
	}
	long second = install(b, open_flags), err = second;
	int fds[2] = {(int)first, (int)second};
	if (second >= 0)
		err = copy_out(to, fds, sizeof(fds));
	if (err < 0) {
		(void)!fd_close(fds[0]);
		if (second >= 0)
			(void)!fd_close(fds[1]);
		return err;
	}
	return 0;
}
