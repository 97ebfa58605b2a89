/* Kinds of file that need neither a file system nor the network.  Each makes files with reference 1. */
#pragma once

#include "abi/linux/signal.h"
#include "kernel/file/file.h"
#include "kernel/sched/timer.h"

/* flags: O_NONBLOCK, O_DIRECT (packets); O_CLOEXEC is the caller's business. */
int pipe_create(uint32_t flags, struct file **reader, struct file **writer) must_check;
bool file_is_pipe(const struct file *f);
long pipe_set_size(struct file *f, unsigned size) must_check; /* F_SETPIPE_SZ: the new size */
long pipe_size(struct file *f) must_check;
/* A named pipe's object, for kernel/fs (mkfifo): opened by open modes. */
struct pipe;
int pipe_new(struct pipe **out) must_check;
void pipe_put(struct pipe *p);
int pipe_open(struct pipe *p, uint32_t flags,
	struct file **out) must_check; /* may wait for the other side */
int pipe_reopen(struct file *f, uint32_t flags,
	struct file **out) must_check; /* /proc/self/fd/N of a pipe */

/* splice(2) and kin.  n > 0; flags: SPLICE_F_NONBLOCK, SPLICE_F_MORE; the kinds of file are checked, permission to read
 * and write not.  at: as for file_read().  Bytes moved; -EAGAIN, -EPIPE, -EINVAL (not for this kind of file), -EINTR.
 * A file's own position is used and moved when at is NULL. */
long splice_to_pipe(
	struct file *in, uint64_t *at, struct file *pipe, size_t n, unsigned flags) must_check;
long splice_from_pipe(
	struct file *pipe, struct file *out, uint64_t *at, size_t n, unsigned flags) must_check;
/* Between pipes: slots change hands, or with copies left behind. */
long splice_pipes(struct file *in, struct file *out, size_t n, unsigned flags) must_check;
long tee_pipes(struct file *in, struct file *out, size_t n, unsigned flags) must_check;
long vmsplice_to_pipe(struct file *pipe, struct io_buffer *from, unsigned flags) must_check;

int eventfd_create(uint64_t value, unsigned flags, struct file **out) must_check;
bool file_is_eventfd(const struct file *f);
int timerfd_create(int clock, unsigned flags, struct file **out) must_check;
struct linux_itimerspec_ns {
	uint64_t interval_ns, value_ns;
};
int timerfd_set(struct file *f, unsigned flags, const struct linux_itimerspec_ns *new,
	struct linux_itimerspec_ns *old) must_check;
void timerfd_init(void); /* from fd_table_init() */
void timerfd_clock_was_set(
	void); /* clock_settime(2): wall-clock timers follow, or are canceled; sleeps */
int timerfd_get(struct file *f, struct linux_itimerspec_ns *out) must_check;

/* What signalfd needs of the process, handed down by kernel/proc. */
struct signal_source {
	/* Take one pending signal of mask for the current thread; false when there is none.  info: struct linux_siginfo. */
	bool (*take)(uint64_t mask, struct linux_siginfo *info);
	bool (*pending)(uint64_t mask);
	/* Announces EPOLLIN when a signal arrives, for whichever thread; lives as long as the process. */
	struct wait_queue *(*queue)(void);
};
void signalfd_set_source(const struct signal_source *source);
int signalfd_create(uint64_t mask, unsigned flags, struct file **out) must_check;
int signalfd_set_mask(struct file *f, uint64_t mask) must_check; /* -EINVAL: not a signalfd */

struct linux_epoll_event;
void epoll_init(void); /* from fd_table_init() */
int epoll_create_file(unsigned flags, struct file **out) must_check;
/* fd: only the key under which the interest stands; events and data as epoll_ctl(2). */
int epoll_control(struct file *epoll, int operation, int fd, struct file *target, uint32_t events,
	uint64_t data) must_check;
/* Up to n events into out (kernel memory); 0 at the deadline; -EINTR. */
long epoll_wait_events(struct file *epoll, struct linux_epoll_event *out, unsigned n,
	uint64_t deadline_ns) must_check;
/* From file_put(): drop every interest in f. */
void epoll_forget(struct file *f);

/* poll(2) and select(2): wait until one file has an event.  files[i] may be NULL.  revents are filled;
 * how many are not 0, 0 at the deadline, -EINTR. */
struct poll_entry {
	struct file *file;
	unsigned events, revents;
};
long poll_files(struct poll_entry *entries, unsigned n, uint64_t deadline_ns) must_check;
