/*
 * mmap(2) and its kin: flags and open modes into requests to kernel/mem, under the address space's lock.
 * User memory is touched only without it.
 */
#include "abi/linux/errno.h"
#include "abi/linux/mman.h"
#include "abi/linux/prctl.h"
#include "abi/linux/resource.h"
#include "kernel/file/fd_table.h"
#include "kernel/ipc/shm.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/syscall/user.h"

#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)

/* On this port writable and executable memory is readable, as on Linux. */
static unsigned area_prot(unsigned prot)
{
	unsigned out = 0;
	if (prot & PROT_ALL)
		out |= MMU_READ;
	if (prot & PROT_WRITE)
		out |= MMU_WRITE;
	if (prot & PROT_EXEC)
		out |= MMU_EXEC;
	return out;
}

/* What a file opened like this may be mapped as. */
static int file_permissions(const struct file *f, bool shared, struct map_request *r)
{
	if (!file_readable(f))
		return -EACCES;
	if (shared && !file_writable(f)) {
		r->max_prot &= ~MMU_WRITE;
		if (r->prot & MMU_WRITE)
			return -EACCES;
	}
	return 0;
}

/* A shared mapping of a sealed memory file can not be made writable. */
static int apply_seals(struct file *f, bool shared, struct map_request *r)
{
	int seals = shared ? vfs_get_seals(f) : 0;
	if (seals <= 0 || !(seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
		return 0;
	if (r->prot & MMU_WRITE)
		return -EPERM;
	r->max_prot &= ~MMU_WRITE;
	return 0;
}

/* The name /proc/self/maps shows; NULL when there is no memory for it. */
static char *file_name(struct file *f)
{
	char *buf = heap_alloc(PATH_MAX);
	if (!buf)
		return NULL;
	struct dentry *d = NULL;
	int err = vfs_file_dentry(f, &d);
	if (err == 0) {
		err = vfs_path(d, buf, PATH_MAX) < 0 ? -EINVAL : 0;
		dentry_put(d);
	}
	char *name = err == 0 ? heap_string(buf) : NULL;
	heap_free(buf);
	return name;
}

static int request_file(struct file *f, bool shared, struct map_request *r, char **name)
{
	int err = file_permissions(f, shared, r);
	if (err == 0)
		err = apply_seals(f, shared, r);
	if (err < 0)
		return err;
	if (f->ops->map_window)
		err = f->ops->map_window(f, &r->offset, r->length, &r->cache);
	else
		err = f->ops->map ? f->ops->map(f, &r->cache, &r->id, &r->device) : -ENODEV;
	r->name = *name = err == 0 ? file_name(f) : NULL;
	return err;
}

static unsigned request_how(unsigned flags)
{
	unsigned how = 0;
	if (flags & MAP_FIXED_NOREPLACE)
		how |= MAP_AT_NEW;
	else if (flags & MAP_FIXED)
		how |= MAP_AT;
	if (flags & MAP_32BIT)
		how |= MAP_LOW;
	if ((flags & MAP_POPULATE) && !(flags & MAP_NONBLOCK))
		how |= MAP_POPULATE_NOW;
	return how;
}

static bool shared_kind(unsigned flags, int *err)
{
	unsigned kind = flags & 0xf;
	*err = kind == MAP_SHARED || kind == MAP_PRIVATE || kind == MAP_SHARED_VALIDATE ? 0
											: -EINVAL;
	/* MAP_SYNC needs persistent memory; whoever asks takes the refusal for an answer. */
	if (kind == MAP_SHARED_VALIDATE && (flags & MAP_SYNC))
		*err = -EOPNOTSUPP;
	return kind != MAP_PRIVATE;
}

static int check_mmap(const struct syscall_args *args, unsigned flags)
{
	uintptr_t address = args->a[0];
	if (args->a[1] == 0 || (args->a[5] & (PAGE_SIZE - 1)))
		return -EINVAL;
	if (args->a[1] > USER_END)
		return -ENOMEM;
	if ((long)args->a[5] < 0 || args->a[5] + args->a[1] < args->a[5])
		return -EOVERFLOW;
	if (flags & MAP_HUGETLB)
		return flags & MAP_ANONYMOUS ? -ENOMEM : -EINVAL;
	if ((flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) && (address & (PAGE_SIZE - 1)))
		return -EINVAL;
	if ((flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) && address < USER_START &&
		!process_capable(CAP_SYS_ADMIN))
		return -EPERM;
	return 0;
}

static long map(const struct map_request *r)
{
	uintptr_t at = 0;
	rw_lock_write(&process.space_lock);
	int err = address_space_map(&process.space, r, &at);
	rw_unlock_write(&process.space_lock);
	return err < 0 ? err : (long)at;
}

/* f: the file that is mapped, or NULL for memory of the program's own. */
static long map_request(
	const struct syscall_args *args, unsigned flags, bool shared, struct file *f)
{
	struct map_request r = {
		.address = align_down(args->a[0], PAGE_SIZE),
		.length = args->a[1],
		.how = request_how(flags),
		.prot = area_prot(arg_uint(args, 2)),
		.max_prot = MMU_READ | MMU_WRITE | MMU_EXEC,
		.flags = (shared ? AREA_SHARED : 0) |
			 (flags & MAP_NORESERVE ? AREA_NO_RESERVE : 0) |
			 (flags & MAP_GROWSDOWN ? AREA_STACK : 0),
		.offset = flags & MAP_ANONYMOUS ? 0 : args->a[5],
	};
	if ((flags & MAP_LOCKED) || process.lock_future) {
		r.flags |= AREA_LOCKED;
		r.how |= MAP_POPULATE_NOW;
	}
	char *name = NULL;
	int err = f ? request_file(f, shared, &r, &name) : 0;
	long result = err < 0 ? err : map(&r);
	heap_free(name);
	return result;
}

static int check_commit(size_t n)
{
	rw_lock_read(&process.space_lock);
	int err = commit_check(&process.space, n);
	rw_unlock_read(&process.space_lock);
	return err;
}

long sys_mmap(const struct syscall_args *args)
{
	unsigned flags = arg_uint(args, 3);
	struct file *f = NULL;
	int err = flags & MAP_ANONYMOUS ? 0 : fd_get(arg_int(args, 4), &f);
	if (err < 0)
		return err;
	bool shared = shared_kind(flags, &err);
	if (err == 0)
		err = check_mmap(args, flags);
	/* Shared anonymous memory is a file without a name. */
	if (err == 0 && shared && (flags & (MAP_ANONYMOUS | MAP_NORESERVE)) == MAP_ANONYMOUS)
		err = check_commit(args->a[1]);
	if (err == 0 && shared && (flags & MAP_ANONYMOUS))
		err = vfs_memory_file("dev/zero", align_up(args->a[1], PAGE_SIZE), &f);
	long result = err < 0 ? err : map_request(args, flags, shared, f);
	if (f)
		file_put(f);
	return result;
}

long sys_munmap(const struct syscall_args *args)
{
	rw_lock_write(&process.space_lock);
	int err = address_space_unmap(&process.space, args->a[0], args->a[1]);
	rw_unlock_write(&process.space_lock);
	shm_unmapped();
	return err;
}

static long protect(uintptr_t start, size_t n, unsigned long prot)
{
	if ((prot & ~(unsigned long)(PROT_ALL | PROT_GROWSDOWN | PROT_GROWSUP | 8)) ||
		(start & (PAGE_SIZE - 1)))
		return -EINVAL;
	if ((prot & (PROT_GROWSDOWN | PROT_GROWSUP)) == (PROT_GROWSDOWN | PROT_GROWSUP) ||
		(prot & PROT_GROWSUP))
		return -EINVAL;
	if (n == 0)
		return 0;
	if (n > USER_END || start > USER_END - n)
		return -ENOMEM;
	rw_lock_write(&process.space_lock);
	const struct area *a = area_at(&process.space, start);
	if ((prot & PROT_GROWSDOWN) && a && (a->flags & AREA_STACK)) {
		n += start - a->start;
		start = a->start;
	}
	int err = address_space_protect(&process.space, start, n, area_prot((unsigned)prot));
	rw_unlock_write(&process.space_lock);
	return err;
}

long sys_mprotect(const struct syscall_args *args)
{
	return protect(args->a[0], args->a[1], args->a[2]);
}

long sys_pkey_mprotect(const struct syscall_args *args)
{
	return arg_int(args, 3) == -1 ? protect(args->a[0], args->a[1], args->a[2]) : -EINVAL;
}

long sys_mremap(const struct syscall_args *args)
{
	uintptr_t at = 0;
	unsigned flags = arg_uint(args, 3);
	if (flags & ~(unsigned)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return -EINVAL;
	rw_lock_write(&process.space_lock);
	int err = address_space_remap(
		&process.space, args->a[0], args->a[1], args->a[2], flags, args->a[4], &at);
	rw_unlock_write(&process.space_lock);
	return err < 0 ? err : (long)at;
}

/* Other views of a file within a map: each is a map of its own, as on Linux today. */
long sys_remap_file_pages(const struct syscall_args *args)
{
	uintptr_t start = align_down(args->a[0], PAGE_SIZE);
	size_t n = align_down(args->a[1], PAGE_SIZE);
	uint64_t page = args->a[3];
	if (args->a[2] != 0 || n == 0 || n > USER_END || start > USER_END - n ||
		page > (UINT64_MAX >> PAGE_SHIFT) - n / PAGE_SIZE)
		return -EINVAL;
	rw_lock_write(&process.space_lock);
	int err = address_space_remap_file(&process.space, start, n, page);
	rw_unlock_write(&process.space_lock);
	if (err == 0 && !(arg_uint(args, 4) & MAP_NONBLOCK))
		(void)!process_populate(start, start + n, MMU_READ);
	return err;
}

long sys_brk(const struct syscall_args *args)
{
	rw_lock_write(&process.space_lock);
	uintptr_t at = address_space_brk(&process.space, args->a[0]);
	rw_unlock_write(&process.space_lock);
	return (long)at;
}

/* --- pages in and out --- */

static int check_range(uintptr_t start, size_t n, uintptr_t *end)
{
	if (start & (PAGE_SIZE - 1))
		return -EINVAL;
	if (n > USER_END || start > USER_END - align_up(n, PAGE_SIZE))
		return -ENOMEM;
	*end = start + align_up(n, PAGE_SIZE);
	return 0;
}

long sys_madvise(const struct syscall_args *args)
{
	uintptr_t start = args->a[0], end;
	int advice = arg_int(args, 2);
	int err = check_range(start, args->a[1], &end);
	if (err < 0)
		return err == -ENOMEM ? -EINVAL : err;
	if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE) {
		err = process_populate(
			start, end, advice == MADV_POPULATE_WRITE ? MMU_WRITE : MMU_READ);
		return err == -EACCES ? -EINVAL : err == -EIO ? -EFAULT : err;
	}
	rw_lock_write(&process.space_lock);
	err = address_space_advise(&process.space, start, args->a[1], advice);
	rw_unlock_write(&process.space_lock);
	return err;
}

/* Without a hole. */
static bool all_mapped(uintptr_t start, uintptr_t end)
{
	while (start < end) {
		const struct area *a = area_at(&process.space, start);
		if (!a)
			return false;
		start = a->end;
	}
	return true;
}

/* Written pages of shared files are in the page cache already: what is left is to write that back. */
long sys_msync(const struct syscall_args *args)
{
	unsigned flags = arg_uint(args, 2);
	uintptr_t start = args->a[0], end;
	if ((flags & ~(unsigned)(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
		(flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	int err = check_range(start, args->a[1], &end);
	if (err < 0)
		return err;
	rw_lock_read(&process.space_lock);
	bool whole = all_mapped(start, end);
	rw_unlock_read(&process.space_lock);
	if (!whole)
		return -ENOMEM;
	if (flags & MS_SYNC)
		vfs_sync_all();
	return 0;
}

#define RESIDENCY_BATCH 256u

long sys_mincore(const struct syscall_args *args)
{
	uintptr_t start = args->a[0], end;
	user_addr to = arg_user(args, 2);
	int err = check_range(start, args->a[1], &end);
	while (err == 0 && start < end) {
		uint8_t pages[RESIDENCY_BATCH];
		size_t n = min((end - start) / PAGE_SIZE, (size_t)RESIDENCY_BATCH);
		rw_lock_read(&process.space_lock);
		if (all_mapped(start, start + n * PAGE_SIZE))
			address_space_residency(&process.space, start, n, pages);
		else
			err = -ENOMEM;
		rw_unlock_read(&process.space_lock);
		if (err == 0)
			err = copy_out(to, pages, n);
		to = user_offset(to, n);
		start += n * PAGE_SIZE;
	}
	return err;
}

/* --- locked memory: nothing is ever swapped out, so locking means being there --- */

/* Mark what lies in [start, end); split areas need not be: the mark only matters for /proc. */
static int mark_locked(uintptr_t start, uintptr_t end, bool on)
{
	rw_lock_write(&process.space_lock);
	int err = all_mapped(start, end) ? 0 : -ENOMEM;
	for (struct area *a = area_at_or_after(&process.space, start);
		err == 0 && a && a->start < end; a = area_at_or_after(&process.space, a->end)) {
		if (on)
			a->flags |= AREA_LOCKED;
		else
			a->flags &= ~AREA_LOCKED;
	}
	rw_unlock_write(&process.space_lock);
	return err;
}

static long lock_range(uintptr_t start, size_t n, bool now)
{
	uintptr_t end;
	int err = check_range(align_down(start, PAGE_SIZE), n + (start & (PAGE_SIZE - 1)), &end);
	if (err < 0)
		return err;
	start = align_down(start, PAGE_SIZE);
	if (end - start > process_limit(RLIMIT_MEMLOCK) && !process_capable(CAP_IPC_LOCK))
		return process_limit(RLIMIT_MEMLOCK) == 0 ? -EPERM : -ENOMEM;
	err = mark_locked(start, end, true);
	if (err == 0 && now)
		err = process_populate(start, end, MMU_READ);
	return err == -EIO || err == -EACCES ? -ENOMEM : err;
}

long sys_mlock(const struct syscall_args *args)
{
	return lock_range(args->a[0], args->a[1], true);
}

long sys_mlock2(const struct syscall_args *args)
{
	unsigned flags = arg_uint(args, 2);
	if (flags & ~(unsigned)MLOCK_ONFAULT)
		return -EINVAL;
	return lock_range(args->a[0], args->a[1], !(flags & MLOCK_ONFAULT));
}

long sys_munlock(const struct syscall_args *args)
{
	uintptr_t start = align_down(args->a[0], PAGE_SIZE), end;
	int err = check_range(start, args->a[1] + (args->a[0] - start), &end);
	return err < 0 ? err : mark_locked(start, end, false);
}

/* Fault in what is mapped already; areas that come and go meanwhile do not matter. */
static int populate_all(void)
{
	uintptr_t at = 0;
	int err = 0;
	while (err == 0) {
		rw_lock_read(&process.space_lock);
		const struct area *a = area_at_or_after(&process.space, at);
		uintptr_t start = a ? a->start : 0, end = a ? a->end : 0;
		bool skip = a && (a->prot == 0 || (a->flags & (AREA_NO_RESERVE | AREA_SPECIAL)));
		rw_unlock_read(&process.space_lock);
		if (!end)
			break;
		if (!skip)
			err = process_populate(max(start, at), end, MMU_READ);
		if (err == -ENOMEM || err == -EIO || err == -EACCES) /* as Linux: best effort */
			err = 0;
		at = end;
	}
	return err;
}

long sys_mlockall(const struct syscall_args *args)
{
	unsigned flags = arg_uint(args, 0);
	if (flags == 0 || (flags & ~(unsigned)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) ||
		flags == MCL_ONFAULT)
		return -EINVAL;
	if (!process_capable(CAP_IPC_LOCK) && process_limit(RLIMIT_MEMLOCK) == 0)
		return -EPERM;
	process.lock_future = (flags & MCL_FUTURE) && !(flags & MCL_ONFAULT);
	return (flags & MCL_CURRENT) && !(flags & MCL_ONFAULT) ? populate_all() : 0;
}

long sys_munlockall(const struct syscall_args *args)
{
	(void)args;
	process.lock_future = false;
	return 0;
}

/* --- NUMA: one node --- */

#define MPOL_LAST 5
#define MPOL_MODE_FLAGS 0xe000u

long sys_get_mempolicy(const struct syscall_args *args)
{
	const int policy = 0; /* MPOL_DEFAULT */
	unsigned long flags = args->a[4];
	if ((flags & ~7ul) || (args->a[1] && args->a[2] == 0))
		return -EINVAL;
	if (args->a[1]) {
		size_t bytes = min(align_up(args->a[2], 64ul) / 8, PAGE_SIZE);
		const uint64_t nodes = flags & 4 /* MPOL_F_MEMS_ALLOWED */ ? 1 : 0;
		if (user_clear(arg_user(args, 1), bytes) < 0 ||
			copy_out(arg_user(args, 1), &nodes, 8) < 0)
			return -EFAULT;
	}
	return args->a[0] ? copy_out(arg_user(args, 0), &policy, sizeof(policy)) : 0;
}

long sys_set_mempolicy(const struct syscall_args *args)
{
	return (arg_uint(args, 0) & ~MPOL_MODE_FLAGS) > MPOL_LAST ? -EINVAL : 0;
}

long sys_mbind(const struct syscall_args *args)
{
	uintptr_t end;
	if ((arg_uint(args, 2) & ~MPOL_MODE_FLAGS) > MPOL_LAST)
		return -EINVAL;
	return check_range(args->a[0], args->a[1], &end);
}
