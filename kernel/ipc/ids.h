/* What shared memory, semaphores and message queues of System V have in common: keys, ids, permissions (svipc(7)). */
#pragma once

#include "abi/linux/ipc.h"
#include "kernel/arch/cpu.h"

/* Who asks. */
struct ipc_caller {
	uint32_t uid, gid; /* effective */
	const uint32_t *groups;
	unsigned n_groups;
	bool overrides; /* CAP_IPC_OWNER */
	bool admin;     /* CAP_SYS_ADMIN */
	bool resource;  /* CAP_SYS_RESOURCE */
	int pid;
};

struct ipc_object {
	int id, key;
	uint32_t uid, gid, cuid, cgid, mode;
};

struct ipc_table {
	struct spinlock lock; /* guards the table and everything in it */
	unsigned max;
	/* under lock: */
	struct ipc_object **slots;
	unsigned size, n, last_slot, sequence;
};

/* All under the table's lock. */

/* -ENOSPC, -ENOMEM. */
int ipc_add(struct ipc_table *t, struct ipc_object *o) must_check;
void ipc_remove(struct ipc_table *t, struct ipc_object *o);
/* NULL: no such object. */
struct ipc_object *ipc_find(struct ipc_table *t, int id);
/* For the ..._STAT commands, by place in the table. */
struct ipc_object *ipc_at(struct ipc_table *t, unsigned slot);
/* The last place in use; what ..._INFO returns. */
int ipc_last(const struct ipc_table *t);
/*
 * The ...get() calls: an object of that key.  1: there is one, in *out.  0: one is to be made.  -ENOENT, -EEXIST,
 * -EACCES.
 */
int ipc_lookup(struct ipc_table *t, const struct ipc_caller *who, int key, unsigned flags,
	struct ipc_object **out) must_check;
/* May it be used like this (mode bits of any of the three places)? */
bool ipc_permits(const struct ipc_object *o, const struct ipc_caller *who, unsigned mode);
/* IPC_SET and IPC_RMID: its owner, its creator, or root. */
bool ipc_owns(const struct ipc_object *o, const struct ipc_caller *who);
void ipc_fill(struct ipc_object *o, const struct ipc_caller *who, int key, unsigned flags);
void ipc_set(struct ipc_object *o, const struct linux_ipc_perm *from);
struct linux_ipc_perm ipc_describe(const struct ipc_object *o);
int64_t ipc_now(void); /* seconds */
