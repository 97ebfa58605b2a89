/* From file to file without passing through the program: sendfile(2), copy_file_range(2).  splice.c has pipes. */
#include "abi/linux/errno.h"
#include "abi/linux/socket.h"
#include "abi/linux/stat.h"
#include "kernel/file/fd_table.h"
#include "kernel/file/kinds.h"
#include "kernel/fs/inode.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/page_cache.h"
#include "kernel/net/socket.h"
#include "kernel/syscall/user.h"

#define CHUNK 65536u

/* Through a kernel buffer, from *at on.  Bytes moved, or an error when none were. */
static long copy_through(
	struct file *in, uint64_t *at, struct file *out, const uint64_t *out_at, size_t n)
{
	size_t size = min(n, (size_t)CHUNK), done = 0;
	uint8_t *buf = heap_alloc(max(size, (size_t)1));
	if (!buf)
		return -ENOMEM;
	long result = 0;
	while (done < n) {
		struct io_buffer b;
		io_buffer_kernel(&b, buf, min(n - done, size));
		long got = result = file_read(in, &b, at);
		if (got <= 0)
			break;
		uint64_t to = out_at ? *out_at + done : 0;
		io_buffer_kernel(&b, buf, (size_t)got);
		result = file_write(out, &b, out_at ? &to : NULL);
		if (result <= 0)
			break;
		/* What was read but not taken is read again next time: positions count what was written. */
		done += (size_t)result;
		*at += (uint64_t)result;
		if (result < got || thread_interrupted())
			break;
	}
	heap_free(buf);
	return done ? (long)done : result;
}

/* The pages of a file straight into a socket. */
static long send_pages(struct file *in, uint64_t *at, struct file *out, size_t n)
{
	struct page_cache *cache;
	uint64_t id, device;
	int err = in->ops->map(in, &cache, &id, &device);
	if (err < 0)
		return err;
	uint64_t size = cache->size;
	if (*at >= size)
		return 0;
	long sent = socket_send_pages(out, cache, *at, (size_t)min((uint64_t)n, size - *at), 0);
	if (sent > 0) {
		*at += (uint64_t)sent;
		file_transferred(in, false);
	}
	return sent;
}

static long send_from(struct file *in, uint64_t *at, struct file *out, size_t n)
{
	if (!file_readable(in) || !file_writable(out))
		return -EBADF;
	if (!in->ops->seek)
		return -EINVAL;
	if (out->flags & O_APPEND)
		return -EINVAL;
	if ((int64_t)*at < 0)
		return -EINVAL;
	if (file_is_pipe(out))
		return n ? splice_to_pipe(in, at, out, n,
				   file_nonblocking(in) || file_nonblocking(out) ? SPLICE_F_NONBLOCK
										 : 0)
			 : 0;
	if (file_is_socket(out) && in->ops->map)
		return send_pages(in, at, out, n);
	return copy_through(in, at, out, NULL, n);
}

/* With an offset of the program's, or the file's own position. */
static long send_with_position(struct file *in, user_addr offset_at, struct file *out, size_t n)
{
	uint64_t at;
	long result;
	if (offset_at.va) {
		if (copy_in(&at, offset_at, sizeof(at)) < 0)
			return -EFAULT;
		result = send_from(in, &at, out, n);
		if (result >= 0 && copy_out(offset_at, &at, sizeof(at)) < 0)
			return -EFAULT;
		return result;
	}
	/* Not under the position's lock: writing takes one, too, and it may be the same file's. */
	at = in->position;
	result = send_from(in, &at, out, n);
	in->position = at;
	return result;
}

long sys_sendfile(const struct syscall_args *args)
{
	struct file *in, *out;
	int err = fd_get(arg_int(args, 1), &in);
	if (err < 0)
		return err;
	long result = fd_get(arg_int(args, 0), &out);
	if (result == 0) {
		result = send_with_position(
			in, arg_user(args, 2), out, min(args->a[3], TRANSFER_MAX));
		file_put(out);
	}
	file_put(in);
	return result;
}

/* --- copy_file_range(2) --- */

static long copy_positions(
	struct file *in, user_addr in_at, struct file *out, user_addr out_at, size_t n)
{
	uint64_t from = in->position, to = out->position;
	if (in_at.va && copy_in(&from, in_at, sizeof(from)) < 0)
		return -EFAULT;
	if (out_at.va && copy_in(&to, out_at, sizeof(to)) < 0)
		return -EFAULT;
	if (from + n < from || to + n < to)
		return -EOVERFLOW;
	if ((int64_t)from < 0 || (int64_t)to < 0)
		return -EINVAL;
	n = min(n, TRANSFER_MAX);
	if (in->inode == out->inode && from < to + n && to < from + n)
		return -EINVAL;
	long done = copy_through(in, &from, out, &to, n);
	if (done <= 0)
		return done;
	to += (uint64_t)done;
	if (!in_at.va)
		in->position = from;
	if (!out_at.va)
		out->position = to;
	if (in_at.va && copy_out(in_at, &from, sizeof(from)) < 0)
		return -EFAULT;
	return out_at.va && copy_out(out_at, &to, sizeof(to)) < 0 ? -EFAULT : done;
}

static bool is_directory(const struct file *f)
{
	return f->inode && S_ISDIR(f->inode->mode);
}

static long copy_range(struct file *in, struct file *out, const struct syscall_args *args)
{
	if (arg_uint(args, 5))
		return -EINVAL;
	if (is_directory(in) || is_directory(out))
		return -EISDIR;
	if (!file_readable(in) || !file_writable(out) || (out->flags & O_APPEND))
		return -EBADF;
	if (!in->ops->map || !out->ops->truncate)
		return -EINVAL;
	return copy_positions(in, arg_user(args, 1), out, arg_user(args, 3), args->a[4]);
}

long sys_copy_file_range(const struct syscall_args *args)
{
	struct file *in, *out;
	int err = fd_get(arg_int(args, 0), &in);
	if (err < 0)
		return err;
	long result = fd_get(arg_int(args, 2), &out);
	if (result == 0) {
		result = copy_range(in, out, args);
		file_put(out);
	}
	file_put(in);
	return result;
}
