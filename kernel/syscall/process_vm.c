/*
 * Memory of "another" process, which can only be this one: process_vm_readv(2), process_vm_writev(2),
 * process_madvise(2); and where its pages are among the nodes, of which there is one: move_pages(2), migrate_pages(2).
 */
#include "abi/linux/errno.h"
#include "kernel/file/fd_table.h"
#include "kernel/mem/heap.h"
#include "kernel/proc/pidfd.h"
#include "kernel/syscall/user.h"

static int check_pid(int pid)
{
	struct task *t = process_find_task(pid);
	if (!t)
		return -ESRCH;
	thread_put(&t->thread);
	return 0;
}

/* One side of a transfer; where it stands in its pieces. */
struct cursor {
	struct user_pieces pieces;
	unsigned at;
	size_t done; /* of pieces[at] */
};

/* The next stretch that lies in one piece, or 0 at the end. */
static size_t cursor_next(struct cursor *c, uintptr_t *address)
{
	while (c->at < c->pieces.n && c->done == c->pieces.pieces[c->at].len) {
		c->at++;
		c->done = 0;
	}
	if (c->at >= c->pieces.n)
		return 0;
	*address = c->pieces.pieces[c->at].base.va + c->done;
	return c->pieces.pieces[c->at].len - c->done;
}

#define BOUNCE PAGE_SIZE

/* As far as it goes: bytes moved, or -EFAULT when the first can not be. */
static long transfer(struct cursor *from, struct cursor *to, void *bounce)
{
	long moved = 0;
	uintptr_t source = 0, target = 0;
	for (;;) {
		size_t n = min(cursor_next(from, &source), cursor_next(to, &target));
		/* Up to the end of a page on either side, so that what is mapped is moved to the last byte. */
		n = min(n, BOUNCE - (source & (PAGE_SIZE - 1)));
		n = min(n, BOUNCE - (target & (PAGE_SIZE - 1)));
		if (n == 0)
			return moved;
		if (copy_in(bounce, user_at(source), n) < 0 ||
			copy_out(user_at(target), bounce, n) < 0)
			return moved ? moved : -EFAULT;
		from->done += n;
		to->done += n;
		moved += (long)n;
		if (thread_interrupted())
			return moved;
	}
}

static long process_vm(const struct syscall_args *args, bool write)
{
	struct cursor local = {.at = 0}, remote = {.at = 0};
	if (args->a[5])
		return -EINVAL;
	int err = user_pieces_get(&local.pieces, arg_user(args, 1), args->a[2]);
	if (err < 0)
		return err;
	err = user_pieces_get(&remote.pieces, arg_user(args, 3), args->a[4]);
	if (err < 0)
		goto put_local;
	err = local.pieces.bytes && remote.pieces.n ? check_pid(arg_int(args, 0)) : 0;
	void *bounce = err < 0 ? NULL : heap_alloc(BOUNCE);
	long result = err < 0 ? err : -ENOMEM;
	if (bounce)
		result = write ? transfer(&local, &remote, bounce)
			       : transfer(&remote, &local, bounce);
	heap_free(bounce);
	user_pieces_put(&remote.pieces);
	user_pieces_put(&local.pieces);
	return result;

put_local:
	user_pieces_put(&local.pieces);
	return err;
}

long sys_process_vm_readv(const struct syscall_args *args)
{
	return process_vm(args, false);
}

long sys_process_vm_writev(const struct syscall_args *args)
{
	return process_vm(args, true);
}

static long advise_pieces(const struct user_pieces *p, unsigned long advice)
{
	long done = 0;
	for (unsigned i = 0; i < p->n; i++) {
		const struct syscall_args one = {
			.a = {p->pieces[i].base.va, p->pieces[i].len, advice}};
		long err = sys_madvise(&one);
		if (err < 0)
			return done ? done : err;
		done += (long)p->pieces[i].len;
	}
	return done;
}

long sys_process_madvise(const struct syscall_args *args)
{
	struct user_pieces p;
	struct file *f = NULL;
	struct task *t = NULL;
	if (arg_uint(args, 4))
		return -EINVAL;
	int err = user_pieces_get(&p, arg_user(args, 1), args->a[2]);
	if (err < 0)
		return err;
	err = fd_get(arg_int(args, 0), &f);
	if (err == 0) {
		err = pidfd_task(f, &t);
		file_put(f);
	}
	long result = err < 0 ? err : advise_pieces(&p, args->a[3]);
	if (t)
		thread_put(&t->thread);
	user_pieces_put(&p);
	return result;
}

/* --- nodes --- */

/* Where the page is: the only node, or why it is nowhere. */
static int page_status(uintptr_t at)
{
	uint8_t resident = 0;
	rw_lock_read(&process.space_lock);
	const struct area *a = area_at(&process.space, at);
	if (a)
		address_space_residency(&process.space, align_down(at, PAGE_SIZE), 1, &resident);
	rw_unlock_read(&process.space_lock);
	return !a ? -EFAULT : resident & 1 ? 0 : -ENOENT;
}

#define MPOL_MF_MOVE 2u
#define MPOL_MF_MOVE_ALL 4u

/* nodes NULL: only ask. */
long sys_move_pages(const struct syscall_args *args)
{
	unsigned long n = args->a[1];
	if (arg_uint(args, 5) & ~(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
		return -EINVAL;
	int err = arg_int(args, 0) ? check_pid(arg_int(args, 0)) : 0;
	for (unsigned long i = 0; err == 0 && i < n; i++) {
		uint64_t page = 0;
		int node = 0;
		if (copy_in(&page, user_offset(arg_user(args, 2), i * 8), sizeof(page)) < 0 ||
			(args->a[3] && copy_in(&node, user_offset(arg_user(args, 3), i * 4),
					       sizeof(node)) < 0))
			return -EFAULT;
		if (node != 0)
			return -ENODEV;
		int status = page_status(page);
		err = copy_out(user_offset(arg_user(args, 4), i * 4), &status, sizeof(status));
		if (err == 0 && thread_interrupted())
			err = -EINTR;
	}
	return err;
}

/* A mask of nodes; only bit 0 names one. */
static int get_nodes(user_addr from, unsigned long max_node, uint64_t *out)
{
	*out = 0;
	if (max_node == 0 || max_node > PAGE_SIZE * 8)
		return max_node ? -EINVAL : 0;
	return copy_in(out, from, min(div_round_up(max_node, 64ul) * 8, sizeof(*out)));
}

long sys_migrate_pages(const struct syscall_args *args)
{
	uint64_t old, new;
	int err = get_nodes(arg_user(args, 2), args->a[1], &old);
	if (err == 0)
		err = get_nodes(arg_user(args, 3), args->a[1], &new);
	if (err == 0 && arg_int(args, 0))
		err = check_pid(arg_int(args, 0));
	if (err < 0)
		return err;
	return new == 1 ? 0 : -EINVAL;
}
