/*
 * AF_UNIX: stream, datagram and seqpacket sockets inside the machine; unix(7).
 *
 * A message is queued at its receiver; what lies there counts against the sender's SO_SNDBUF.  Locks: each
 * socket's spinlock, never two at once (a connect goes in steps); read_lock serialises readers, so that a message can
 * be copied to the program while it stays in the queue.
 */
#pragma once

#include "kernel/net/protocol.h"
#include "kernel/sched/lock.h"

#define UNIX_PATH_MAX 108u
#define UNIX_DATAGRAMS_MAX                                                                         \
	512u /* queued at one receiver: as systemd sets net.unix.max_dgram_qlen */
#define UNIX_IN_FLIGHT_MAX 4096u /* files in messages: what cycles of them can leak is bounded */
#define UNIX_CHUNK_MAX 16000u    /* of a stream's data, in one message */

/* A name: of a file (path[0] is not NUL) or abstract; counted. */
struct unix_name {
	atomic_uint references;
	uint32_t len; /* of path; a path's NUL included */
	char path[UNIX_PATH_MAX + 1];
};

struct unix_message {
	struct list link;
	uint32_t len, offset;   /* bytes; of a stream: already read */
	uint32_t ids[3];        /* the sender's pid, uid, gid */
	struct unix_name *from; /* datagrams: the sender's name, counted; NULL */
	struct file **files;    /* SCM_RIGHTS, a reference each */
	unsigned n_files;
	uint8_t data[];
};

enum unix_state { UNIX_IDLE, UNIX_CONNECTING, UNIX_CONNECTED, UNIX_LISTENING };

struct unix_socket {
	struct socket socket; /* first */
	struct mutex read_lock, bind_lock, send_lock;
	struct wait_queue space; /* senders that wait for room in `received` */
	/* under socket.lock: */
	enum unix_state state;
	bool dead;                /* closed: a name or a peer may still refer to it */
	struct unix_name *name;   /* NULL: unnamed */
	struct unix_socket *peer; /* counted */
	struct list received;     /* messages; taken off only under read_lock */
	uint32_t charge;          /* bytes in received */
	unsigned n_received;
	struct list pending; /* listening: connections to be accepted, by accept_link */
	unsigned n_pending, backlog;
	struct list accept_link;
	uint32_t ids[3], peer_ids[3];
	struct list
		blocked; /* senders that polled and found no room here: under unix_blocked_lock, */
	struct list blocked_link; /* like this one */
	struct list all_link;     /* of every socket, for /proc/net/unix */
};

static inline struct unix_socket *unix_of(struct socket *s)
{
	return (struct unix_socket *)s;
}
static inline irq_state must_check unix_lock(struct unix_socket *u)
{
	return spin_lock(&u->socket.lock);
}
static inline void unix_unlock(struct unix_socket *u, irq_state irq)
{
	spin_unlock(&u->socket.lock, irq);
}

extern const struct protocol unix_stream_protocol, unix_datagram_protocol, unix_seqpacket_protocol;

/* unix.c: common to all types */
/* Every socket there is, under a lock. */
void unix_each(void (*each)(void *arg, struct unix_socket *u), void *arg);
int unix_create(const struct protocol *p, int number, struct socket **out);
int unix_bind(struct socket *s, const struct socket_address *a);
int unix_pair(struct socket *a, struct socket *b);
int unix_local_name(struct socket *s, struct socket_address *out);
int unix_peer_name(struct socket *s, struct socket_address *out);
int unix_shutdown(struct socket *s, int how);
int unix_get_option(struct socket *s, int level, int name, void *value, size_t size);
int unix_ioctl(struct socket *s, unsigned request, int *value);
void unix_close(struct socket *s, bool nonblocking);
void unix_destroy(struct socket *s);
/* The socket with that name, counted. -ECONNREFUSED, -ENOENT, -EPROTOTYPE: of another type. */
int unix_find(const struct socket_address *a, int type, struct unix_socket **out) must_check;
void unix_current_ids(uint32_t ids[3]);
void unix_name_put(struct unix_name *n);
struct unix_socket *unix_get_peer(struct unix_socket *u); /* counted or NULL */
static inline void unix_put(struct unix_socket *u)
{
	socket_put(&u->socket);
}
static inline bool unix_connection_based(const struct unix_socket *u)
{
	return u->socket.type != SOCK_DGRAM;
}

/* unix_message.c */
/* A message of n bytes of m's data, with its files and the current ids.  -EFAULT, -ENOBUFS, -ETOOMANYREFS.  The files
 * stay the caller's until unix_message_keep_files(). */
int unix_message_new(struct unix_socket *from, struct socket_message *m, uint32_t n,
	struct unix_message **out) must_check;
void unix_message_free(struct unix_message *e);
/* It was not sent: its files remain the caller's. */
void unix_message_drop(struct unix_message *e);
/* Queue at `to`, which is locked. */
void unix_queue(struct unix_socket *to, struct unix_message *e);
/* Files and credentials to the program; peek: the message keeps its own. */
void unix_message_control(
	struct unix_socket *to, struct socket_message *m, struct unix_message *e, bool peek);
/* The first message is done with: off the queue, senders told.  read_lock held. */
void unix_dequeue(struct unix_socket *u, struct unix_message *e);
/* Tell those who wait for room at u. */
void unix_announce_space(struct unix_socket *u);
/* u found no room at `to` and wants EPOLLOUT when there is: not locked. */
void unix_want_space(struct unix_socket *u, struct unix_socket *to);
void unix_forget_blocked(struct unix_socket *u);
bool unix_room(const struct unix_socket *to, const struct unix_socket *from, uint32_t n);
/* Explicit SCM_CREDENTIALS in m, if any, checked; else the current thread's. -EINVAL, -EPERM. */
int unix_message_ids(struct socket_message *m, uint32_t ids[3]) must_check;
/* For seqpacket and datagrams: one whole message. */
long unix_receive_message(struct unix_socket *u, struct socket_message *m);
