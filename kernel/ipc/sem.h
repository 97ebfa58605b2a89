/* System V semaphores: semget(2), semop(2), semctl(2). */
#pragma once

#include "kernel/ipc/ids.h"

struct text;

#define SEM_PER_SET_MAX 32000u
#define SEM_OPERATIONS_MAX 500u
#define SEM_VALUE_MAX 32767

/* What SEM_UNDO has to take back when the last thread that shares the list ends. */
struct sem_undo_list;
/* Another thread shares *list; it is made if there is none.  NULL: no memory. */
struct sem_undo_list *sem_undo_share(struct sem_undo_list **list);
/* One less; the last takes everything back.  NULL is fine. */
void sem_undo_put(struct sem_undo_list *list);

/* The id; -EINVAL, -EEXIST, -ENOENT, -EACCES, -ENOSPC, -ENOMEM. */
long sem_get(const struct ipc_caller *who, int key, int n, unsigned flags) must_check;
/*
 * 0 < n <= SEM_OPERATIONS_MAX operations, all or none.  -EAGAIN: would wait, or the deadline; -EINTR; -EIDRM; -EFBIG,
 * -ERANGE, -EINVAL, -EACCES, -ENOMEM.  Sleeps.
 */
int sem_operate(const struct ipc_caller *who, int id, struct linux_sembuf *operations, unsigned n,
	uint64_t deadline_ns, struct sem_undo_list **undo) must_check;
/* semctl(2) but for GETALL and SETALL.  value: of SETVAL. */
union sem_argument {
	struct linux_semid_ds ds;
	struct linux_seminfo info;
};
long sem_control(const struct ipc_caller *who, int id, int number, int command, int value,
	union sem_argument *buf) must_check;
/* How many there are in the set, if it may be used like this. */
int sem_count(const struct ipc_caller *who, int id, unsigned mode) must_check;
/* All values out or in; n: sem_count()'s. */
int sem_get_all(int id, uint16_t *values, unsigned n) must_check;
int sem_set_all(
	const struct ipc_caller *who, int id, const uint16_t *values, unsigned n) must_check;
void sem_show(struct text *t);
