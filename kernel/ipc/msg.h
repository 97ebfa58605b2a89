/* System V message queues: msgget(2), msgsnd(2), msgrcv(2), msgctl(2). */
#pragma once

#include "kernel/ipc/ids.h"
#include "kernel/lib/list.h"

struct text;

#define MSG_SIZE_MAX 8192u
#define MSG_QUEUE_BYTES 16384u

struct ipc_message {
	struct list link;
	int64_t type;
	uint32_t size;
	uint8_t text[];
};

/* The id; -EINVAL, -EEXIST, -ENOENT, -EACCES, -ENOSPC, -ENOMEM. */
long msg_get(const struct ipc_caller *who, int key, unsigned flags) must_check;
/* Takes the heap block over when it returns 0.  -EAGAIN, -EINTR, -EIDRM, -EINVAL, -EACCES, -ENOMEM (all queues
 * together hold too much).  Sleeps. */
int msg_send(
	const struct ipc_caller *who, int id, struct ipc_message *m, unsigned flags) must_check;
/* A message that is the caller's to free; of type or, with MSG_COPY, a copy of the type-th.  -E2BIG: longer than
 * size; -ENOMSG, -EINTR, -EIDRM, -EINVAL, -EACCES, -ENOMEM.  Sleeps. */
int msg_receive(const struct ipc_caller *who, int id, uint64_t size, int64_t type, unsigned flags,
	struct ipc_message **out) must_check;
union msg_argument {
	struct linux_msqid_ds ds;
	struct linux_msginfo info;
};
long msg_control(
	const struct ipc_caller *who, int id, int command, union msg_argument *buf) must_check;
void msg_show(struct text *t);
