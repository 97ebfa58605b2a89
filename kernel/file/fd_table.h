/* The process's descriptors: numbers to files. One table; all threads share it. */
#pragma once

#include "kernel/file/file.h"

#define FD_CLOEXEC_FLAG 1u

void fd_table_init(void);
/* RLIMIT_NOFILE. */
void fd_table_set_limit(unsigned limit);
/* The file behind fd with a reference (file_put() it), or -EBADF. */
int fd_get(int fd, struct file **out) must_check;
/* Lowest free number from `from` on; takes over the reference. -EMFILE; -EINVAL when from is
 * beyond the limit. */
int fd_install(struct file *f, unsigned from, unsigned flags) must_check;
/* dup2: at that number, closing what is there. -EBADF beyond the limit. */
int fd_install_at(struct file *f, int fd, unsigned flags) must_check;
int fd_close(int fd) must_check;
/* FD_CLOEXEC_FLAG: mark them instead. */
int fd_close_range(unsigned first, unsigned last, unsigned flags) must_check;
int fd_flags(int fd) must_check; /* FD_CLOEXEC_FLAG or -EBADF */
int fd_set_flags(int fd, unsigned flags) must_check;
void fd_close_on_exec(void);
void fd_close_all(void); /* the process ends */
/* The first open number >= from, or -1: for /proc/self/fd. */
int fd_next(int from);
