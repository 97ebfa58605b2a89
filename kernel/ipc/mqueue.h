/* POSIX message queues: mq_overview(7).  Names are one flat list; a descriptor is an ordinary file. */
#pragma once

#include "kernel/file/file.h"
#include "kernel/ipc/ids.h"

#define MQ_NAME_MAX 255u

struct mq_message;

struct mq_limits {
	uint64_t bytes; /* RLIMIT_MSGQUEUE */
	bool lifted;    /* CAP_SYS_RESOURCE */
};

/* attr NULL: the usual sizes.  Errors of mq_open(3). */
int mq_open_file(const struct ipc_caller *who, const char *name, unsigned flags, unsigned mode,
	const struct linux_mq_attr *attr, const struct mq_limits *limits,
	struct file **out) must_check;
int mq_unlink_name(const struct ipc_caller *who, const char *name) must_check;

/* -EBADF: no queue, or not open for this.  -EMSGSIZE, -EAGAIN, -ETIMEDOUT, -EINTR, -EFAULT, -EINVAL, -ENOMEM. */
int mq_send_message(const struct ipc_caller *who, struct file *f, user_addr text, size_t n,
	unsigned priority, uint64_t deadline_ns) must_check;
/* The length. */
long mq_receive_message(struct file *f, user_addr to, size_t size, unsigned *priority,
	uint64_t deadline_ns) must_check;
/* new NULL: only ask. */
int mq_attributes(
	struct file *f, const struct linux_mq_attr *new, struct linux_mq_attr *old) must_check;

/* Whoever is to be told of the first message in an empty queue, once. */
struct mq_notification {
	int notify; /* SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD */
	int signal;
	uint64_t value;
	struct file *socket; /* SIGEV_THREAD: a netlink socket, counted; taken over on success */
	uint8_t cookie[MQ_NOTIFY_COOKIE];
};
/* NULL: nobody any more.  -EBUSY, -EBADF. */
int mq_set_notification(struct file *f, const struct mq_notification *n) must_check;
/* What tells: handed down by kernel/main.c. */
void mq_set_tellers(void (*signal)(int signal, uint64_t value, const struct ipc_caller *sender),
	void (*cookie)(struct file *socket, const void *cookie, size_t n));
