/* O_ASYNC: a signal when a file becomes ready, fcntl(2) "Managing signals". */
#pragma once

#include "kernel/file/file.h"

#define F_OWNER_TID 0
#define F_OWNER_PID 1
#define F_OWNER_PGRP 2

struct file_owner {
	int type, id; /* F_OWNER_; 0: nobody */
	int signal;   /* F_SETSIG; 0: SIGIO without more */
	int fd;       /* as the signal tells it */
};

/* How to send: any context, under the lock of some wait queue.  Set once, by kernel/proc. */
void async_set_sender(void (*send)(const struct file_owner *to, unsigned events));
/* O_ASYNC was set or cleared in f->flags.  fd: by which descriptor.  -ENOMEM. */
int async_changed(struct file *f, int fd) must_check;
void async_forget(struct file *f); /* the file ends */
/* F_SETOWN and kin; readers get a copy. */
void async_set_owner(struct file *f, int type, int id);
void async_set_signal(struct file *f, int signal);
struct file_owner async_owner(struct file *f);
