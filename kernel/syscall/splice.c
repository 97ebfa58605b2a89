/* splice(2), tee(2), vmsplice(2): checks in Linux's order, then kernel/file/splice.c. */
#include "abi/linux/errno.h"
#include "kernel/file/fd_table.h"
#include "kernel/file/kinds.h"
#include "kernel/syscall/user.h"

struct splice {
	struct file *in, *out;
	user_addr in_at, out_at;
	size_t n;
	unsigned flags;
};

/* One side has a position: use it, and give it back. */
static long with_offset(struct file *f, user_addr at, uint64_t *offset, uint64_t **use)
{
	*use = NULL;
	if (!at.va)
		return 0;
	if (copy_in(offset, at, sizeof(*offset)) < 0)
		return -EFAULT;
	if (!f->ops->seek)
		return -EINVAL;
	*use = offset;
	return (int64_t)*offset < 0 ? -EINVAL : 0;
}

static long from_pipe(const struct splice *s)
{
	uint64_t offset, *at;
	long n = with_offset(s->out, s->out_at, &offset, &at);
	if (n == 0 && (s->out->flags & O_APPEND))
		n = -EINVAL;
	unsigned flags = s->flags | (file_nonblocking(s->in) ? SPLICE_F_NONBLOCK : 0);
	if (n == 0)
		n = splice_from_pipe(s->in, s->out, at, s->n, flags);
	return n > 0 && at && copy_out(s->out_at, at, sizeof(*at)) < 0 ? -EFAULT : n;
}

static long to_pipe(const struct splice *s)
{
	uint64_t offset, *at;
	long n = with_offset(s->in, s->in_at, &offset, &at);
	unsigned flags = s->flags | (file_nonblocking(s->out) ? SPLICE_F_NONBLOCK : 0);
	if (n == 0)
		n = splice_to_pipe(s->in, at, s->out, s->n, flags);
	return n > 0 && at && copy_out(s->in_at, at, sizeof(*at)) < 0 ? -EFAULT : n;
}

static unsigned both_flags(const struct splice *s)
{
	bool waits = !file_nonblocking(s->in) && !file_nonblocking(s->out);
	return s->flags | (waits ? 0 : SPLICE_F_NONBLOCK);
}

static long splice(const struct splice *s)
{
	bool in = file_is_pipe(s->in), out = file_is_pipe(s->out);
	if ((in && s->in_at.va) || (out && s->out_at.va))
		return -ESPIPE;
	if (!file_readable(s->in) || !file_writable(s->out))
		return -EBADF;
	if (in && out)
		return splice_pipes(s->in, s->out, s->n, both_flags(s));
	return in ? from_pipe(s) : out ? to_pipe(s) : -EINVAL;
}

static long tee(const struct splice *s)
{
	if (!file_readable(s->in) || !file_writable(s->out))
		return -EBADF;
	if (!file_is_pipe(s->in) || !file_is_pipe(s->out))
		return -EINVAL;
	return tee_pipes(s->in, s->out, s->n, both_flags(s));
}

static long on_files(struct splice *s, int in, int out, long (*operation)(const struct splice *s))
{
	if (s->flags & ~SPLICE_F_ALL)
		return -EINVAL;
	if (!s->n)
		return 0;
	int err = fd_get(in, &s->in);
	if (err < 0)
		return err;
	long n = fd_get(out, &s->out);
	if (n == 0) {
		s->n = min(s->n, TRANSFER_MAX);
		n = operation(s);
		file_put(s->out);
	}
	file_put(s->in);
	return n;
}

long sys_splice(const struct syscall_args *args)
{
	struct splice s = {.in_at = arg_user(args, 1),
		.out_at = arg_user(args, 3),
		.n = args->a[4],
		.flags = arg_uint(args, 5)};
	return on_files(&s, arg_int(args, 0), arg_int(args, 2), splice);
}

long sys_tee(const struct syscall_args *args)
{
	struct splice s = {.n = args->a[2], .flags = arg_uint(args, 3)};
	return on_files(&s, arg_int(args, 0), arg_int(args, 1), tee);
}

static long vmsplice(struct file *f, const struct syscall_args *args)
{
	struct user_pieces p;
	struct io_buffer b;
	unsigned flags = arg_uint(args, 3) | (file_nonblocking(f) ? SPLICE_F_NONBLOCK : 0);
	if (!file_writable(f) && !file_readable(f))
		return -EBADF;
	long n = user_pieces_get(&p, arg_user(args, 1), args->a[2]);
	if (n < 0)
		return n;
	io_buffer_user(&b, p.pieces, p.n);
	if (b.left && !file_is_pipe(f))
		n = -EBADF;
	else if (b.left)
		n = file_writable(f) ? vmsplice_to_pipe(f, &b, flags) : file_read(f, &b, NULL);
	user_pieces_put(&p);
	return n;
}

/* Pages of the program are copied: what a pipe holds does not change with them afterwards. */
long sys_vmsplice(const struct syscall_args *args)
{
	struct file *f;
	if (arg_uint(args, 3) & ~SPLICE_F_ALL)
		return -EINVAL;
	int err = fd_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	long n = vmsplice(f, args);
	file_put(f);
	return n;
}
