/*
 * Operations on names and on files as such: the handlers of the calls do them, with arguments from the SQE.  They run in
 * the submitting thread, so that paths need not be kept; the few that may block come back in the pool.
 */
#include "abi/linux/fcntl.h"
#include "abi/linux/socket.h"
#include "kernel/file/fd_table.h"
#include "kernel/file/kinds.h"
#include "kernel/syscall/fd.h"
#include "kernel/syscall/uring/uring.h"

/* Words that the operation has no use for are 0. */
int plain_prepare(struct request *r)
{
	return r->sqe.buf_index || r->sqe.splice_fd_in ? -EINVAL : 0;
}

int path_prepare(struct request *r)
{
	return r->sqe.flags & IOSQE_FIXED_FILE ? -EBADF : plain_prepare(r);
}

#define CALL_OF(name, ...) sys_##name(&(const struct syscall_args){.a = {__VA_ARGS__}})
#define FD(x) ((unsigned long)(long)(int)(x))

/* --- files --- */

long fsync_issue(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	if (s->addr || s->buf_index || s->splice_fd_in || (s->op_flags & ~IORING_FSYNC_DATASYNC))
		return -EINVAL;
	if (!r->file->ops->sync)
		return -EINVAL;
	return r->file->ops->sync(r->file, s->op_flags & IORING_FSYNC_DATASYNC);
}

long sync_range_issue(struct request *r)
{
	return sync_range_file(r->file,
		&(const struct syscall_args){.a = {0, r->sqe.off, r->sqe.len, r->sqe.op_flags}});
}

long fallocate_issue(struct request *r)
{
	/* offset in off, length in addr, mode in len */
	return fallocate_file(r->file,
		&(const struct syscall_args){.a = {0, r->sqe.len, r->sqe.off, r->sqe.addr}});
}

long fadvise_issue(struct request *r)
{
	return fadvise_file(r->file,
		&(const struct syscall_args){.a = {0, r->sqe.off, r->sqe.len, r->sqe.op_flags}});
}

long madvise_issue(struct request *r)
{
	return CALL_OF(madvise, r->sqe.addr, r->sqe.len, r->sqe.op_flags);
}

static int source_of(struct request *r, struct file **out)
{
	int in = r->sqe.splice_fd_in;
	return r->sqe.op_flags & SPLICE_F_FD_IN_FIXED ? files_get(r->ring, (unsigned)in, out)
						      : fd_get(in, out);
}

/* Offsets are values here (-1: none). */
static long splice_files(struct file *in, uint64_t in_at, struct file *out, uint64_t out_at,
	size_t n, unsigned flags)
{
	bool from = file_is_pipe(in), to = file_is_pipe(out);
	bool in_positioned = (int64_t)in_at != -1, out_positioned = (int64_t)out_at != -1;
	if ((from && in_positioned) || (to && out_positioned))
		return -ESPIPE;
	if (from && to)
		return splice_pipes(in, out, n, flags);
	struct file *other = from ? out : in;
	bool positioned = from ? out_positioned : in_positioned;
	if (!from && !to)
		return -EINVAL;
	if (positioned && (!other->ops->seek || (int64_t)(from ? out_at : in_at) < 0))
		return -EINVAL;
	if (from && (out->flags & O_APPEND))
		return -EINVAL;
	return from ? splice_from_pipe(in, out, positioned ? &out_at : NULL, n, flags)
		    : splice_to_pipe(in, positioned ? &in_at : NULL, out, n, flags);
}

static long splice_with(struct request *r, bool is_tee)
{
	const struct linux_sqe *s = &r->sqe;
	unsigned flags = s->op_flags & ~SPLICE_F_FD_IN_FIXED;
	size_t n = min((size_t)s->len, TRANSFER_MAX);
	struct file *in;
	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	int err = source_of(r, &in);
	if (err < 0)
		return err;
	long result = -EBADF;
	r->wanted = s->len;
	if (n == 0)
		result = 0;
	else if (!file_readable(in) || !file_writable(r->file))
		result = -EBADF;
	else if (!is_tee)
		result = splice_files(in, s->addr, r->file, s->off, n, flags);
	else
		result = file_is_pipe(in) && file_is_pipe(r->file)
				 ? tee_pipes(in, r->file, n, flags)
				 : -EINVAL;
	file_put(in);
	return result;
}

long splice_issue(struct request *r)
{
	return splice_with(r, false);
}

long tee_issue(struct request *r)
{
	return splice_with(r, true);
}

/* --- opening and closing --- */

static int check_open(const struct request *r, uint64_t flags)
{
	if (r->sqe.flags & IOSQE_FIXED_FILE)
		return -EBADF;
	if (r->sqe.buf_index)
		return -EINVAL;
	return r->sqe.file_index && (flags & O_CLOEXEC) ? -EINVAL : 0;
}

int openat_prepare(struct request *r)
{
	return check_open(r, r->sqe.op_flags);
}

int openat2_prepare(struct request *r)
{
	return check_open(r, 0);
}

static long opened(struct request *r, int err, struct file *f, unsigned flags)
{
	if (err < 0)
		return err;
	return r->sqe.file_index ? files_install(r->ring, r->sqe.file_index, f) : install(f, flags);
}

long openat_issue(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	struct file *f = NULL;
	int err = open_file_at(s->fd, user_at(s->addr), s->op_flags, s->len, &f);
	return opened(r, err, f, s->op_flags);
}

long openat2_issue(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	struct file *f = NULL;
	unsigned flags = 0;
	int err = open_file_at2(s->fd, user_at(s->addr), user_at(s->off), s->len, &flags, &f);
	return opened(r, err, f, flags);
}

int close_prepare(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	if (s->off || s->addr || s->len || s->op_flags || s->buf_index)
		return -EINVAL;
	if (s->flags & IOSQE_FIXED_FILE)
		return -EBADF;
	return s->file_index && s->fd ? -EINVAL : 0;
}

long close_issue(struct request *r)
{
	struct file *f;
	if (r->sqe.file_index)
		return files_remove(r->ring, r->sqe.file_index - 1);
	int err = fd_get(r->sqe.fd, &f);
	if (err < 0)
		return err;
	bool ring = uring_of_file(f);
	file_put(f);
	return ring ? -EBADF : fd_close(r->sqe.fd);
}

long files_update_issue(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	if (s->op_flags || (s->flags & (IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT)))
		return -EINVAL;
	if ((uint32_t)s->off != IORING_FILE_INDEX_ALLOC)
		return files_update(
			r->ring, (uint32_t)s->off, user_at(s->addr), user_at(0), s->len);
	/* Each into any free slot, whose number takes the descriptor's place. */
	unsigned done = 0;
	long err = s->len ? 0 : -EINVAL;
	for (; err == 0 && done < s->len; done += err == 0) {
		user_addr at = user_at(s->addr + done * sizeof(int));
		int fd, slot;
		struct file *f;
		err = copy_in(&fd, at, sizeof(fd));
		if (err == 0)
			err = fd_get(fd, &f);
		if (err == 0) {
			long n = files_install(r->ring, IORING_FILE_INDEX_ALLOC, f);
			slot = (int)n;
			err = n < 0 ? n : copy_out(at, &slot, sizeof(slot));
		}
	}
	return done ? (long)done : err;
}

/* --- names --- */

long statx_issue(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	return CALL_OF(statx, FD(s->fd), s->addr, s->op_flags, s->len, s->addr2);
}

long renameat_issue(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	return CALL_OF(renameat2, FD(s->fd), s->addr, FD(s->len), s->addr2, s->op_flags);
}

long unlinkat_issue(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	if (s->off || s->len)
		return -EINVAL;
	return CALL_OF(unlinkat, FD(s->fd), s->addr, s->op_flags);
}

long mkdirat_issue(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	if (s->off || s->op_flags)
		return -EINVAL;
	return CALL_OF(mkdirat, FD(s->fd), s->addr, s->len);
}

long symlinkat_issue(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	if (s->len || s->op_flags)
		return -EINVAL;
	return CALL_OF(symlinkat, s->addr, FD(s->fd), s->addr2);
}

long linkat_issue(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	return CALL_OF(linkat, FD(s->fd), s->addr, FD(s->len), s->addr2, s->op_flags);
}

int xattr_prepare(struct request *r)
{
	bool of_path = r->sqe.opcode == IORING_OP_SETXATTR || r->sqe.opcode == IORING_OP_GETXATTR;
	return of_path && (r->sqe.flags & IOSQE_FIXED_FILE) ? -EBADF : 0;
}

long setxattr_issue(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	return CALL_OF(setxattr, s->addr3, s->addr, s->addr2, s->len, s->op_flags);
}

long getxattr_issue(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	return s->op_flags ? -EINVAL : CALL_OF(getxattr, s->addr3, s->addr, s->addr2, s->len);
}

/* By descriptor: of registered files, too, for as long as it takes. */
static long with_descriptor(struct request *r, bool set)
{
	const struct linux_sqe *s = &r->sqe;
	file_get(r->file);
	long fd = install(r->file, O_CLOEXEC);
	if (fd < 0)
		return fd;
	long result = set ? CALL_OF(fsetxattr, FD(fd), s->addr, s->addr2, s->len, s->op_flags)
			  : CALL_OF(fgetxattr, FD(fd), s->addr, s->addr2, s->len);
	(void)!fd_close((int)fd);
	return result;
}

long fsetxattr_issue(struct request *r)
{
	return with_descriptor(r, true);
}

long fgetxattr_issue(struct request *r)
{
	return r->sqe.op_flags ? -EINVAL : with_descriptor(r, false);
}

/* --- others --- */

int epoll_ctl_prepare(struct request *r)
{
	return r->sqe.flags & IOSQE_FIXED_FILE ? -EBADF : plain_prepare(r);
}

long epoll_ctl_issue(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	return CALL_OF(epoll_ctl, FD(s->fd), s->len, FD(s->off), s->addr);
}

long nop_issue(struct request *r)
{
	(void)r;
	return 0;
}

/* A completion, or a registered file with one, for another ring. */
long msg_ring_issue(struct request *r)
{
	const struct linux_sqe *s = &r->sqe;
	struct uring *target = uring_of_file(r->file);
	if (s->buf_index || s->personality || (s->op_flags & ~IORING_MSG_RING_CQE_SKIP))
		return -EINVAL;
	if (!target)
		return -EBADFD;
	if (target->disabled)
		return -EBADFD;
	long result = 0;
	if (s->addr == IORING_MSG_SEND_FD) {
		struct file *f;
		if (target == r->ring)
			return -EINVAL;
		int err = files_get(r->ring, (unsigned)s->addr3, &f);
		if (err < 0)
			return err;
		result = files_install(target, s->file_index, f);
		if (result < 0 || (s->op_flags & IORING_MSG_RING_CQE_SKIP))
			return result;
	} else if (s->addr != IORING_MSG_DATA || s->file_index || s->op_flags) {
		return -EINVAL;
	}
	const struct linux_cqe c = {.user_data = s->off, .res = (int32_t)s->len};
	if (!cqe_post_if_room(target, &c))
		return -EOVERFLOW;
	uring_announce(target);
	return result;
}
