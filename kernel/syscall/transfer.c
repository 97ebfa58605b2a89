/* read(2), write(2) and their vector and positioned kin: a list of pieces and a file, nothing more. */
#include "abi/linux/fcntl.h"
#include "abi/linux/errno.h"
#include "kernel/file/fd_table.h"
#include "kernel/syscall/user.h"

static long read_one(const struct syscall_args *args, const uint64_t *at)
{
	struct file *f;
	int err = fd_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	const struct io_piece piece = {arg_user(args, 1), min(args->a[2], TRANSFER_MAX)};
	struct io_buffer to;
	io_buffer_user(&to, &piece, 1);
	long n = file_read(f, &to, at);
	file_put(f);
	return n;
}

static long write_one(const struct syscall_args *args, const uint64_t *at)
{
	struct file *f;
	int err = fd_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	const struct io_piece piece = {arg_user(args, 1), min(args->a[2], TRANSFER_MAX)};
	struct io_buffer from;
	io_buffer_user(&from, &piece, 1);
	long n = file_write(f, &from, at);
	file_put(f);
	return n;
}

long sys_read(const struct syscall_args *args)
{
	return read_one(args, NULL);
}

long sys_write(const struct syscall_args *args)
{
	return write_one(args, NULL);
}

long sys_pread64(const struct syscall_args *args)
{
	uint64_t at = args->a[3];
	return (long)at < 0 ? -EINVAL : read_one(args, &at);
}

long sys_pwrite64(const struct syscall_args *args)
{
	uint64_t at = args->a[3];
	return (long)at < 0 ? -EINVAL : write_one(args, &at);
}

static long read_pieces(const struct syscall_args *args, const uint64_t *at)
{
	struct file *f;
	struct user_pieces p;
	long n = fd_get(arg_int(args, 0), &f);
	if (n < 0)
		return n;
	n = user_pieces_get(&p, arg_user(args, 1), args->a[2]);
	if (n == 0) {
		struct io_buffer to;
		io_buffer_user(&to, p.pieces, p.n);
		n = file_read(f, &to, at);
		user_pieces_put(&p);
	}
	file_put(f);
	return n;
}

static long write_pieces(const struct syscall_args *args, const uint64_t *at, unsigned flags)
{
	struct file *f;
	struct user_pieces p;
	long n = fd_get(arg_int(args, 0), &f);
	if (n < 0)
		return n;
	n = user_pieces_get(&p, arg_user(args, 1), args->a[2]);
	if (n == 0) {
		struct io_buffer from;
		io_buffer_user(&from, p.pieces, p.n);
		n = file_write(f, &from, at);
		user_pieces_put(&p);
	}
	if (n > 0 && (flags & (RWF_DSYNC | RWF_SYNC)) && f->ops->sync) {
		int err = f->ops->sync(f, !(flags & RWF_SYNC));
		n = err < 0 ? err : n;
	}
	file_put(f);
	return n;
}

long sys_readv(const struct syscall_args *args)
{
	return read_pieces(args, NULL);
}

long sys_writev(const struct syscall_args *args)
{
	return write_pieces(args, NULL, 0);
}

long sys_preadv(const struct syscall_args *args)
{
	uint64_t at = args->a[3];
	return (long)at < 0 ? -EINVAL : read_pieces(args, &at);
}

long sys_pwritev(const struct syscall_args *args)
{
	uint64_t at = args->a[3];
	return (long)at < 0 ? -EINVAL : write_pieces(args, &at, 0);
}

/* An offset of -1 is the file's own position. */
long sys_preadv2(const struct syscall_args *args)
{
	if (arg_uint(args, 5) & ~RWF_HIPRI)
		return -EOPNOTSUPP;
	return (long)args->a[3] == -1 ? sys_readv(args) : sys_preadv(args);
}

long sys_pwritev2(const struct syscall_args *args)
{
	unsigned flags = arg_uint(args, 5);
	uint64_t at = args->a[3];
	if (flags & ~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC))
		return -EOPNOTSUPP;
	if ((long)at < -1)
		return -EINVAL;
	return write_pieces(args, (long)at == -1 ? NULL : &at, flags);
}

long sys_lseek(const struct syscall_args *args)
{
	struct file *f;
	int err = fd_get(arg_int(args, 0), &f);
	if (err < 0)
		return err;
	unsigned whence = arg_uint(args, 2);
	long at = whence > SEEK_HOLE  ? -EINVAL
		  : f->flags & O_PATH ? -EBADF
		  : f->ops->seek      ? f->ops->seek(f, (int64_t)args->a[1], (int)whence)
				      : -ESPIPE;
	file_put(f);
	return at;
}
