/*
 * Shared memory segments: shmget(2), shmctl(2).  A segment is a nameless file of tmpfs; attaching is mapping it, which
 * kernel/syscall does, since the address space is kernel/proc's.
 */
#pragma once

#include "kernel/file/file.h"
#include "kernel/ipc/ids.h"

struct text;

/* The id; -EINVAL, -EEXIST, -ENOENT, -EACCES, -ENOSPC, -ENOMEM.  Sleeps. */
long shm_get(const struct ipc_caller *who, int key, uint64_t size, unsigned flags) must_check;
/* All the commands; buf: what they read or write.  The result of shmctl(2). */
union shm_argument {
	struct linux_shmid_ds ds;
	struct linux_shminfo limits;
	struct linux_shm_info usage;
};
long shm_control(
	const struct ipc_caller *who, int id, int command, union shm_argument *buf) must_check;

/* To attach it: its file, counted, and its size.  mode: as for ipc_permits().  Then shm_attached() whatever became of
 * it.  -EINVAL, -EACCES. */
int shm_attach(const struct ipc_caller *who, int id, unsigned mode, struct file **out,
	uint64_t *size, int *key) must_check;
void shm_attached(int id, int pid, bool succeeded);
/* Is that the memory of a segment?  pid >= 0: it was detached by that process. */
bool shm_is_segment(const struct page_cache *c, int pid);
/* Mappings have gone: segments that waited for the last of them end. */
extern atomic_uint shm_n_dying;
void shm_sweep(void);
static inline void shm_unmapped(void)
{
	if (unlikely(atomic_load_explicit(&shm_n_dying, memory_order_relaxed)))
		shm_sweep();
}
void shm_show(struct text *t); /* /proc/sysvipc/shm */
