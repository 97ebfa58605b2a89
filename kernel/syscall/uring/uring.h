/*
 * io_uring(7), inside.  A ring is memory shared with the program (memory.c), a table of requests in flight, and what
 * was registered with it.  A request comes out of the submission queue (submit.c), is tried without waiting, and then
 *     waits for its file (poll.c) or a time (timeout.c); whatever ends the wait puts it on ring->ready;
 *     or runs in a thread of the pool (work.h), where it may block;
 * and ends in one completion (complete.c).  Ready requests are run by a thread that waits for completions
 * in io_uring_enter(2), else by the pool's prompt thread.
 *
 * Locks: ring->submit (sleeps): the submission queue and what is registered.  ring->lock (spins, any context): all else.
 * A file's wait queue is locked outside ring->lock: nothing under ring->lock touches one.
 */
#pragma once

#include "abi/linux/errno.h"
#include "abi/linux/io_uring.h"
#include "kernel/sched/timer.h"
#include "kernel/syscall/uring/ring_memory.h"
#include "kernel/syscall/uring/work.h"
#include "kernel/syscall/user.h"

/* --- the ring --- */

struct request;

struct overflow {
	struct list link;
	struct linux_cqe cqe;
};

struct buffer_group;

struct uring {
	atomic_uint references; /* of the file, of requests, of whoever works on it */
	struct list all_link;   /* every ring: setup.c */
	struct ring_memory *rings, *sqes;
	struct ring_header *header;
	uint32_t sq_entries, cq_entries, setup; /* IORING_SETUP_ */
	size_t array_offset;
	int submitter; /* thread, of IORING_SETUP_SINGLE_ISSUER; 0: none yet */
	atomic_bool dying, disabled;

	struct mutex submit;
	/* under submit: */
	uint32_t sq_head;
	uint64_t allowed_registers, allowed_ops; /* restrictions: bits */
	uint8_t allowed_flags, required_flags;
	bool restricted;

	struct mutex buffers_lock;
	struct list groups; /* under buffers_lock: struct buffer_group */

	struct spinlock lock;
	/* under lock: */
	uint32_t cq_tail;
	uint32_t n_completed; /* without timeouts: what timeouts count */
	unsigned n_requests;  /* that exist */
	unsigned n_active;    /* of these, begun or in a chain that has begun */
	bool draining; /* a chain with IOSQE_IO_DRAIN has begun: nothing else does before its end */
	struct list requests; /* those begun and not ended */
	struct list ready, deferred;
	struct list overflow;
	unsigned n_overflow;
	atomic_bool news; /* completions not announced yet */
	struct file *eventfd;
	bool eventfd_async;
	bool run_queued, drain_off;
	unsigned n_counting; /* timeouts that count completions */
	struct file **files;
	uint64_t *file_tags;
	unsigned n_files, alloc_start, alloc_end;
	struct io_piece *buffers;
	uint64_t *buffer_tags;
	unsigned n_buffers;
	struct personality {
		bool used;
		uint32_t uid, gid;
	} personalities[16];

	atomic_uint n_waiting;     /* threads in io_uring_enter() that run what is ready */
	struct wait_queue waiters; /* these, and whoever waits for the ring to become quiet */
	struct wait_queue events;  /* file->ready */
	struct work run_work;
	struct sq_thread *sq_thread; /* IORING_SETUP_SQPOLL */
};

static inline void uring_get(struct uring *u)
{
	atomic_fetch_add_explicit(&u->references, 1, memory_order_relaxed);
}
void uring_put(struct uring *u);
/* The ring behind a descriptor; the file with a reference.  -EBADF, -EOPNOTSUPP. */
int uring_of_fd(int fd, struct file **file, struct uring **out) must_check;
struct uring *uring_of_file(struct file *f); /* NULL: none */
/* setup.c: what it does when a thread, or the program (execve(2)), leaves its memory. */
void uring_watch_process(void);
/* slots.c.  The thread's registered descriptor number n (IORING_REGISTER_RING_FDS). */
int uring_of_slot(unsigned n, struct file **file, struct uring **out) must_check;
long uring_register_slots(user_addr from, unsigned n) must_check;
long uring_unregister_slots(user_addr from, unsigned n) must_check;
void slots_forget(int tid);
/* aio.c: every context of io_setup(2) ends. */
void aio_end_all(void);
long uring_register(struct uring *u, unsigned what, user_addr argument, unsigned n) must_check;
void uring_drop_registered(struct uring *u); /* the ring ends */

/* --- requests --- */

enum request_state {
	REQUEST_RUNNING, /* a thread is at it */
	REQUEST_ARMING,  /* the same, while its waiter is put up */
	REQUEST_WAITING, /* for a file or a time */
	REQUEST_READY,   /* on ring->ready */
	REQUEST_QUEUED,  /* for the pool */
};

#define ANY_SUCCESS (-1l)
#define ISSUE_PENDING INT32_MIN /* somebody else ends it */

struct operation {
	int (*prepare)(struct request
			*r); /* copies what the SQE points to; 0 or -Exxx; NULL: nothing to do */
	/* Does it: the result, -EAGAIN: would have to wait (when r->may_wait is false), ISSUE_PENDING. */
	long (*issue)(struct request *r);
	void (*drop)(struct request *r); /* what prepare made, beside r->data; NULL */
	uint16_t events;                 /* what to wait for when it would block */
	uint8_t flags;
};
#define OP_FILE 1u          /* sqe.fd is a file; IOSQE_FIXED_FILE is allowed */
#define OP_BLOCKS 2u        /* never tried inline: a thread of the pool */
#define OP_BUFFER_SELECT 4u /* may take a provided buffer */
#define OP_NO_PRIORITY 8u   /* sqe.ioprio must be 0 */
#define OP_SUPPORTED 16u
extern const struct operation uring_operations[IORING_OP_LAST];

struct request {
	struct list link;       /* ring->requests */
	struct list queue_link; /* ring->ready, ring->deferred */
	struct uring *ring;
	const struct operation *operation;
	struct linux_sqe sqe; /* our copy: read once */
	struct file *file;    /* counted, from the first try on */
	struct request *next; /* linked: starts when this one has ended */
	struct request *
		timeout; /* its IORING_OP_LINK_TIMEOUT, or, of that one, what it watches: under ring->lock */
	uint32_t cqe_flags;
	uint64_t cqe_extra[2];
	long done;     /* bytes of earlier tries */
	long wanted;   /* a link goes on only with this result; ANY_SUCCESS */
	void *data;    /* heap: what prepare copied */
	bool may_wait; /* runs in the pool */
	bool no_retry; /* -EAGAIN is the answer */
	bool multishot, retried, failed, no_cqe, in_table;
	unsigned spins, chain_length;
	int prepare_error;
	struct buffer_choice {
		bool taken;
		uint16_t id;
		uint64_t address;
		uint32_t len, whole;
	} buffer;
	/* under ring->lock: */
	enum request_state state;
	bool woken, cancelled, expired, drain, counts;
	struct thread *worker;
	/* while it waits: */
	struct wait_queue *queue; /* where waiter is, or NULL */
	struct waiter waiter;
	unsigned events, woken_events;
	bool has_timer;
	struct timer timer;
	uint64_t deadline_ns;
	uint32_t count_from; /* a timeout that counts completions: since */
	struct work work;
};

/* submit.c.  With ring->submit held: take up to n submissions.  How many, or an error when none was. */
long uring_submit(struct uring *u, unsigned n) must_check;
/* Run r and what its end sets free.  May sleep. */
void request_run(struct request *r);
/* Run what is ready. */
void uring_run_ready(struct uring *u);
/* Somebody shall run u->ready.  Any context but under u->lock. */
void uring_kick(struct uring *u);
/* Under u->lock: r, which nobody runs, shall be run by somebody: uring_kick() afterwards. */
void request_make_ready(struct request *r);

/* complete.c.  All but *_locked: without u->lock, thread context. */
bool cqe_post(struct uring *u, const struct linux_cqe *c); /* false: it went to the overflow list */
/* The same, but only if there is room: false otherwise (a multishot request ends then). */
bool cqe_post_if_room(struct uring *u, const struct linux_cqe *c) must_check;
void cqe_post_of(struct request *r, long result, uint32_t flags);
bool cqe_more(struct request *r, long result, uint32_t flags) must_check;
/* After posting: waiters, epoll, eventfd; from the pool: also an eventfd of IORING_REGISTER_EVENTFD_ASYNC. */
void uring_announce(struct uring *u);
void uring_announce_from_pool(struct uring *u);
void cqe_flush_overflow(struct uring *u);
unsigned cqe_ready(const struct uring *u);
bool uring_has_news(const struct uring *u);

/* poll.c: wait for r->events of r->file.  True: it is ready now (or cancelled): go on; false: r is no longer the caller's. */
bool request_arm(struct request *r) must_check;
void request_disarm(struct request *r);
long poll_add_issue(struct request *r), poll_remove_issue(struct request *r);
int poll_add_prepare(struct request *r), poll_remove_prepare(struct request *r);

/* timeout.c */
int timeout_prepare(struct request *r), timeout_remove_prepare(struct request *r);
long timeout_issue(struct request *r), timeout_remove_issue(struct request *r);
void timeout_drop(struct request *r);
int link_timeout_prepare(struct request *r);
/* r begins: its link timeout starts.  r ends: it stops. */
void link_timeout_start(struct request *r);
void link_timeout_stop(struct request *r);
void timeout_stop_timer(struct request *r);
/* Under u->lock: timeouts that counted enough completions become ready; whether any did. */
bool timeouts_count_locked(struct uring *u);

/* cancel.c.  match of a request; 0: it will end; -EALREADY: it is running and was told; -ENOENT. */
struct cancel_match {
	uint64_t user_data;
	struct file *file; /* IORING_ASYNC_CANCEL_FD */
	uint32_t flags;
	uint8_t only; /* of that operation, or 0xff: any */
};
long uring_cancel(struct uring *u, const struct cancel_match *m, const struct request *but);
/* Under u->lock. */
int request_cancel_locked(struct request *r);
struct request *request_find_locked(struct uring *u, uint64_t user_data, uint8_t only);
int cancel_prepare(struct request *r);
long cancel_issue(struct request *r);
long uring_sync_cancel(struct uring *u, user_addr argument) must_check;
/* Cancel everything and wait for its end. */
void uring_cancel_all(struct uring *u);

/* buffers.c: provided buffers. */
struct buffer_group {
	struct list link;
	uint16_t id;
	user_addr ring; /* 0: a list */
	uint16_t head, mask;
	struct list buffers;
	unsigned n;
};
/* Choose one for r, at most len bytes (0: all of it).  -ENOBUFS. */
int buffer_choose(struct request *r, uint32_t len) must_check;
void buffer_return(struct request *r);      /* not used after all */
uint32_t buffer_consume(struct request *r); /* CQE flags */
void buffers_drop(struct uring *u);
long buffers_register_ring(struct uring *u, user_addr argument) must_check;
long buffers_unregister_ring(struct uring *u, user_addr argument) must_check;
int buffers_prepare(struct request *r);
long buffers_provide_issue(struct request *r), buffers_remove_issue(struct request *r);

/* register.c: registered files and buffers. */
int files_get(struct uring *u, unsigned n, struct file **out) must_check;
/* Put f into a slot (IORING_FILE_INDEX_ALLOC: any, which is the result; else slot + 1 as SQEs say, result 0).  Takes f. */
long files_install(struct uring *u, uint32_t file_index, struct file *f) must_check;
long files_remove(struct uring *u, unsigned n) must_check;
long files_update(
	struct uring *u, unsigned offset, user_addr fds, user_addr tags, unsigned n) must_check;
int buffers_check(struct uring *u, unsigned n, uint64_t address, uint64_t len) must_check;

/* Operations by family: op_rw.c, op_net.c, op_path.c, op_misc.c. */
int rw_prepare(struct request *r), rw_vector_prepare(struct request *r);
long read_issue(struct request *r), write_issue(struct request *r);
int plain_prepare(struct request *r), path_prepare(struct request *r);
long fsync_issue(struct request *r), sync_range_issue(struct request *r),
	fallocate_issue(struct request *r);
long fadvise_issue(struct request *r), madvise_issue(struct request *r);
long openat_issue(struct request *r), openat2_issue(struct request *r),
	close_issue(struct request *r);
int openat_prepare(struct request *r), openat2_prepare(struct request *r),
	close_prepare(struct request *r);
long statx_issue(struct request *r), files_update_issue(struct request *r),
	epoll_ctl_issue(struct request *r);
int epoll_ctl_prepare(struct request *r);
long splice_issue(struct request *r), tee_issue(struct request *r),
	shutdown_issue(struct request *r);
long renameat_issue(struct request *r), unlinkat_issue(struct request *r),
	mkdirat_issue(struct request *r);
long symlinkat_issue(struct request *r), linkat_issue(struct request *r),
	msg_ring_issue(struct request *r);
int xattr_prepare(struct request *r);
long fsetxattr_issue(struct request *r), setxattr_issue(struct request *r),
	fgetxattr_issue(struct request *r);
long getxattr_issue(struct request *r), socket_issue(struct request *r),
	nop_issue(struct request *r);
int message_prepare(struct request *r), send_prepare(struct request *r),
	connect_prepare(struct request *r);
int accept_prepare(struct request *r), socket_prepare(struct request *r);
long sendmsg_issue(struct request *r), recvmsg_issue(struct request *r),
	send_issue(struct request *r);
long recv_issue(struct request *r), accept_issue(struct request *r),
	connect_issue(struct request *r);
long send_zc_issue(struct request *r), sendmsg_zc_issue(struct request *r);
void message_drop(struct request *r);
