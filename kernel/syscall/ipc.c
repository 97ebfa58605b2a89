/* System V IPC: what its calls copy in and out, and shared memory in the address space (svipc(7)). */
#include "abi/linux/errno.h"
#include "abi/linux/prctl.h"
#include "kernel/ipc/msg.h"
#include "kernel/ipc/sem.h"
#include "kernel/ipc/shm.h"
#include "kernel/lib/format.h"
#include "kernel/mem/heap.h"
#include "kernel/syscall/user.h"

struct ipc_caller ipc_caller_current(void)
{
	return (struct ipc_caller){
		.uid = process.euid,
		.gid = process.egid,
		.groups = process.groups,
		.n_groups = process.n_groups,
		.overrides = process_capable(CAP_IPC_OWNER),
		.admin = process_capable(CAP_SYS_ADMIN),
		.resource = process_capable(CAP_SYS_RESOURCE),
		.pid = PROCESS_ID,
	};
}

/* --- shared memory --- */

long sys_shmget(const struct syscall_args *args)
{
	const struct ipc_caller who = ipc_caller_current();
	return shm_get(&who, arg_int(args, 0), args->a[1], arg_uint(args, 2));
}

long sys_shmctl(const struct syscall_args *args)
{
	const struct ipc_caller who = ipc_caller_current();
	union shm_argument buf;
	int command = arg_int(args, 1);
	if (command == IPC_SET && copy_in(&buf.ds, arg_user(args, 2), sizeof(buf.ds)) < 0)
		return -EFAULT;
	long result = shm_control(&who, arg_int(args, 0), command, &buf);
	size_t n = command == IPC_INFO   ? sizeof(buf.limits)
		   : command == SHM_INFO ? sizeof(buf.usage)
		   : command == IPC_STAT || command == SHM_STAT || command == SHM_STAT_ANY
			   ? sizeof(buf.ds)
			   : 0;
	return result >= 0 && n && copy_out(arg_user(args, 2), &buf, n) < 0 ? -EFAULT : result;
}

/* Where shmat(2) is asked to put it. */
static int attach_address(uintptr_t address, unsigned flags, struct map_request *r)
{
	if (!address)
		return flags & SHM_REMAP ? -EINVAL : 0;
	if (address & (PAGE_SIZE - 1)) {
		if (!(flags & SHM_RND))
			return -EINVAL;
		address = align_down(address, PAGE_SIZE);
		if (!address && (flags & SHM_REMAP))
			return -EINVAL;
	}
	r->address = address;
	r->how = flags & SHM_REMAP ? MAP_AT : MAP_AT_NEW;
	return 0;
}

static long map_segment(struct map_request *r, int id, struct file *f)
{
	uintptr_t at = 0;
	uint64_t ino;
	int err = f->ops->map(f, &r->cache, &ino, &r->device);
	r->id = (uint64_t)(unsigned)id;
	if (err < 0)
		return err;
	rw_lock_write(&process.space_lock);
	err = address_space_map(&process.space, r, &at);
	rw_unlock_write(&process.space_lock);
	return err == -EEXIST ? -EINVAL : err < 0 ? err : (long)at;
}

long sys_shmat(const struct syscall_args *args)
{
	const struct ipc_caller who = ipc_caller_current();
	unsigned flags = arg_uint(args, 2);
	struct map_request r = {
		.prot = MMU_READ | (flags & SHM_RDONLY ? 0 : MMU_WRITE) |
			(flags & SHM_EXEC ? MMU_EXEC : 0),
		.max_prot = MMU_READ | MMU_EXEC | (flags & SHM_RDONLY ? 0 : MMU_WRITE),
		.flags = AREA_SHARED,
	};
	struct file *f = NULL;
	char name[32];
	int key = 0, err = arg_int(args, 0) < 0 ? -EINVAL : attach_address(args->a[1], flags, &r);
	if (err < 0)
		return err;
	unsigned mode = (flags & SHM_RDONLY ? 0444 : 0666) | (flags & SHM_EXEC ? 0111 : 0);
	err = shm_attach(&who, arg_int(args, 0), mode, &f, &r.length, &key);
	if (err < 0)
		return err;
	format(name, sizeof(name), "/SYSV%08x (deleted)", (unsigned)key);
	r.name = name;
	long result = map_segment(&r, arg_int(args, 0), f);
	file_put(f);
	shm_attached(arg_int(args, 0), who.pid, result >= 0);
	return result;
}

/* Where the segment attached at address reaches from there; mremap(2) and munmap(2) may have left pieces. */
static struct area *next_piece(uintptr_t address, const struct page_cache *c, uintptr_t from)
{
	struct area *a = area_at_or_after(&process.space, from);
	while (a) {
		bool matches = a->cache && a->start - a->offset == address &&
			       (c ? a->cache == c : shm_is_segment(a->cache, -1));
		if (matches)
			return a;
		a = area_at_or_after(&process.space, a->end);
	}
	return NULL;
}

long sys_shmdt(const struct syscall_args *args)
{
	uintptr_t address = args->a[0];
	if (address & (PAGE_SIZE - 1))
		return -EINVAL;
	int err = -EINVAL;
	rw_lock_write(&process.space_lock);
	struct area *a = next_piece(address, NULL, address);
	const struct page_cache *c = a ? a->cache : NULL;
	if (a)
		(void)!shm_is_segment(c, PROCESS_ID);
	while (a) {
		uintptr_t end = a->end;
		err = address_space_unmap(&process.space, a->start, end - a->start);
		a = err == 0 ? next_piece(address, c, end) : NULL;
	}
	rw_unlock_write(&process.space_lock);
	shm_unmapped();
	return err;
}

/* --- semaphores --- */

long sys_semget(const struct syscall_args *args)
{
	const struct ipc_caller who = ipc_caller_current();
	return sem_get(&who, arg_int(args, 0), arg_int(args, 1), arg_uint(args, 2));
}

#define OPERATIONS_SMALL 16u

static long sem_operate_from(const struct syscall_args *args, uint64_t deadline_ns)
{
	const struct ipc_caller who = ipc_caller_current();
	struct linux_sembuf small[OPERATIONS_SMALL], *operations = small;
	size_t n = arg_uint(args, 2);
	if (n == 0 || arg_int(args, 0) < 0)
		return -EINVAL;
	if (n > SEM_OPERATIONS_MAX)
		return -E2BIG;
	if (n > OPERATIONS_SMALL && !(operations = heap_array(n, sizeof(*operations))))
		return -ENOMEM;
	long result = copy_in(operations, arg_user(args, 1), n * sizeof(*operations));
	if (result == 0)
		result = sem_operate(&who, arg_int(args, 0), operations, (unsigned)n, deadline_ns,
			&task_current()->semaphore_undo);
	if (operations != small)
		heap_free(operations);
	return result;
}

long sys_semop(const struct syscall_args *args)
{
	return sem_operate_from(args, NO_DEADLINE);
}

long sys_semtimedop(const struct syscall_args *args)
{
	uint64_t ns = 0;
	if (!args->a[3])
		return sem_operate_from(args, NO_DEADLINE);
	int err = user_timespec(arg_user(args, 3), &ns);
	return err < 0 ? err : deadline_end(sem_operate_from(args, deadline_begin(ns)));
}

static long sem_all(const struct ipc_caller *who, int id, bool set, user_addr at)
{
	int n = sem_count(who, id, set ? 0222 : 0444);
	if (n < 0)
		return n;
	size_t bytes = (size_t)n * sizeof(uint16_t);
	uint16_t *values = heap_alloc(bytes);
	if (!values)
		return -ENOMEM;
	long err = 0;
	if (set) {
		err = copy_in(values, at, bytes);
		if (err == 0)
			err = sem_set_all(who, id, values, (unsigned)n);
	} else {
		err = sem_get_all(id, values, (unsigned)n);
		if (err == 0)
			err = copy_out(at, values, bytes);
	}
	heap_free(values);
	return err;
}

long sys_semctl(const struct syscall_args *args)
{
	const struct ipc_caller who = ipc_caller_current();
	int id = arg_int(args, 0), command = arg_int(args, 2);
	user_addr at = arg_user(args, 3);
	union sem_argument buf;
	if (id < 0)
		return -EINVAL;
	if (command == SEM_GETALL || command == SEM_SETALL)
		return sem_all(&who, id, command == SEM_SETALL, at);
	if (command == IPC_SET && copy_in(&buf.ds, at, sizeof(buf.ds)) < 0)
		return -EFAULT;
	long result = sem_control(&who, id, arg_int(args, 1), command, arg_int(args, 3), &buf);
	size_t n = command == IPC_INFO || command == SEM_INFO ? sizeof(buf.info)
		   : command == IPC_STAT || command == SEM_STAT || command == SEM_STAT_ANY
			   ? sizeof(buf.ds)
			   : 0;
	return result >= 0 && n && copy_out(at, &buf, n) < 0 ? -EFAULT : result;
}

/* --- message queues --- */

long sys_msgget(const struct syscall_args *args)
{
	const struct ipc_caller who = ipc_caller_current();
	return msg_get(&who, arg_int(args, 0), arg_uint(args, 1));
}

/* A struct msgbuf: the type, then the text. */
long sys_msgsnd(const struct syscall_args *args)
{
	const struct ipc_caller who = ipc_caller_current();
	int64_t type = 0;
	if (copy_in(&type, arg_user(args, 1), sizeof(type)) < 0)
		return -EFAULT;
	if (arg_int(args, 0) < 0 || args->a[2] > MSG_SIZE_MAX || type < 1)
		return -EINVAL;
	size_t n = args->a[2];
	struct ipc_message *m = heap_alloc(sizeof(*m) + n);
	if (!m)
		return -ENOMEM;
	m->type = type;
	m->size = (uint32_t)n;
	int err = copy_in(m->text, user_offset(arg_user(args, 1), sizeof(type)), n);
	if (err == 0)
		err = msg_send(&who, arg_int(args, 0), m, arg_uint(args, 3));
	if (err < 0)
		heap_free(m);
	return err;
}

long sys_msgrcv(const struct syscall_args *args)
{
	const struct ipc_caller who = ipc_caller_current();
	struct ipc_message *m = NULL;
	if (arg_int(args, 0) < 0 || (long)args->a[2] < 0)
		return -EINVAL;
	int err = msg_receive(
		&who, arg_int(args, 0), args->a[2], (int64_t)args->a[3], arg_uint(args, 4), &m);
	if (err < 0)
		return err;
	size_t n = min((size_t)m->size, args->a[2]);
	if (copy_out(arg_user(args, 1), &m->type, sizeof(m->type)) < 0 ||
		copy_out(user_offset(arg_user(args, 1), sizeof(m->type)), m->text, n) < 0)
		err = -EFAULT;
	heap_free(m);
	return err < 0 ? err : (long)n;
}

long sys_msgctl(const struct syscall_args *args)
{
	const struct ipc_caller who = ipc_caller_current();
	union msg_argument buf;
	int id = arg_int(args, 0), command = arg_int(args, 1);
	if (id < 0 || command < 0)
		return -EINVAL;
	if (command == IPC_SET && copy_in(&buf.ds, arg_user(args, 2), sizeof(buf.ds)) < 0)
		return -EFAULT;
	long result = msg_control(&who, id, command, &buf);
	size_t n = command == IPC_INFO || command == MSG_INFO ? sizeof(buf.info)
		   : command == IPC_STAT || command == MSG_STAT || command == MSG_STAT_ANY
			   ? sizeof(buf.ds)
			   : 0;
	return result >= 0 && n && copy_out(arg_user(args, 2), &buf, n) < 0 ? -EFAULT : result;
}
