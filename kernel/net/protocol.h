/*
 * What a kind of socket is to the socket layer: struct socket and its table of operations.  The layer above
 * (kernel/net/socket.c) has the file, the generic options and non-blocking mode; it calls these.
 */
#pragma once

#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/socket.h"
#include "kernel/file/file.h"
#include "kernel/net/socket.h"

struct socket;

/* All may sleep, none holds a lock.  NULL: -EOPNOTSUPP, except where said. */
struct protocol {
	int family, type;
	int number; /* the protocol argument of socket(2) besides 0; -1: any */
	int (*create)(
		const struct protocol *p, int number, struct socket **out); /* one reference */
	int (*bind)(struct socket *s, const struct socket_address *a);
	int (*listen)(struct socket *s, int backlog);
	/* flags: MSG_DONTWAIT.  *out: one reference. */
	int (*accept)(struct socket *s, int flags, uint64_t deadline_ns, struct socket **out);
	int (*connect)(
		struct socket *s, const struct socket_address *a, int flags, uint64_t deadline_ns);
	int (*pair)(struct socket *a, struct socket *b);
	int (*name)(struct socket *s, struct socket_address *out);
	int (*peer)(struct socket *s, struct socket_address *out); /* NULL: -ENOTCONN */
	int (*shutdown)(struct socket *s, int how);
	/* Levels other than SOL_SOCKET, and of that what the layer leaves; -ENOPROTOOPT. */
	int (*set_option)(struct socket *s, int level, int name, const void *value, size_t len);
	int (*get_option)(struct socket *s, int level, int name, void *value, size_t size);
	/* A generic one was set that kernel/net/socket_options.c keeps.  NULL: nothing to do. */
	void (*option_changed)(struct socket *s, int name);
	long (*send)(struct socket *s, struct socket_message *m);
	long (*receive)(struct socket *s, struct socket_message *m);
	long (*send_pages)(
		struct socket *s, struct page_cache *c, uint64_t offset, size_t n, int flags);
	unsigned (*poll)(struct socket *s); /* any context */
	/* FIONREAD, SIOCOUTQ, SIOCATMARK: *value; others -ENOTTY. */
	int (*ioctl)(struct socket *s, unsigned request, int *value);
	/* The file is gone (its reference is dropped afterwards).  nonblocking: do not linger. */
	void (*close)(struct socket *s, bool nonblocking);
	/* The last reference went: release what the protocol holds, not the memory.  Any context. */
	void (*destroy)(struct socket *s);
};

/* struct socket.options */
#define OPTION_REUSE_ADDR (1u << 0)
#define OPTION_REUSE_PORT (1u << 1)
#define OPTION_KEEPALIVE (1u << 2)
#define OPTION_BROADCAST (1u << 3)
#define OPTION_LINGER (1u << 4)
#define OPTION_PASS_CREDENTIALS (1u << 5)
#define OPTION_TIMESTAMP (1u << 6)
#define OPTION_TIMESTAMP_NS (1u << 7)
#define OPTION_OOB_INLINE (1u << 8)
#define OPTION_DONT_ROUTE (1u << 9)
#define OPTION_NO_CHECK (1u << 10)
#define OPTION_DEBUG (1u << 11)
#define OPTION_RX_OVERFLOW (1u << 13)
#define OPTION_SEND_LIMIT_SET (1u << 14)    /* SO_SNDBUF: no automatic growth */
#define OPTION_RECEIVE_LIMIT_SET (1u << 15) /* SO_RCVBUF */
#define OPTION_LISTENING (1u << 16)

#define SHUTDOWN_RECEIVE 1u
#define SHUTDOWN_SEND 2u
#define SHUTDOWN_BOTH 3u

#define BUFFER_DEFAULT 212992u /* net.core.rmem_default, wmem_default and their maxima */
#define BUFFER_OPTION_MAX 212992u
#define RECEIVE_LIMIT_MIN 2304u
#define SEND_LIMIT_MIN 4608u

struct socket {
	const struct protocol *protocol;
	atomic_uint references;
	struct spinlock lock;
	struct wait_queue ready; /* EPOLL events */
	uint16_t family, type;
	int number;
	uint64_t cookie;
	_Atomic int error;         /* SO_ERROR: positive errno, taken by who reports it */
	_Atomic uint32_t shutdown; /* SHUTDOWN_ bits */
	/* Options: single words, written by setsockopt(2), read anywhere. */
	_Atomic uint32_t options;           /* OPTION_ bits */
	uint32_t receive_limit, send_limit; /* SO_RCVBUF, SO_SNDBUF */
	int linger_s, low_water, priority, peek_offset;
	uint32_t mark;
	unsigned netif_index;                         /* SO_BINDTODEVICE; 0: any */
	uint64_t receive_timeout_ns, send_timeout_ns; /* 0: none */
};

/* size >= sizeof(struct socket): the protocol embeds it first; cleared. NULL without memory. */
struct socket *socket_alloc(const struct protocol *p, int number, size_t size) must_check;
void socket_hold(struct socket *s);
void socket_put(struct socket *s);
/* Wrap in a file, taking over the reference on success. */
int socket_file(struct socket *s, uint32_t file_flags, struct file **out) must_check;
struct socket *file_socket(const struct file *f);

static inline bool socket_option(const struct socket *s, uint32_t option)
{
	return atomic_load_explicit(&s->options, memory_order_relaxed) & option;
}
void socket_set_flag(struct socket *s, uint32_t option, bool on);

/* Take the pending error: 0 or -Exxx. */
static inline int socket_take_error(struct socket *s)
{
	if (likely(atomic_load_explicit(&s->error, memory_order_relaxed) == 0))
		return 0;
	return -atomic_exchange_explicit(&s->error, 0, memory_order_relaxed);
}

/* Options helpers: an int out of or into kernel memory; the length or -EINVAL. */
int option_get_int(const void *value, size_t len, int *out) must_check;
int option_put_int(void *value, size_t size, int x) must_check;
int option_put(void *value, size_t size, const void *from, size_t n) must_check;

/* kernel/net/socket_options.c: level SOL_SOCKET. */
int socket_generic_set(struct socket *s, int name, const void *value, size_t len) must_check;
int socket_generic_get(struct socket *s, int name, void *value, size_t size) must_check;
/* kernel/net/interface_ioctl.c: SIOCGIF*; -ENOTTY. */
long interface_ioctl(unsigned request, user_addr argument);

/* Append a control message to m; MSG_CTRUNC when it does not fit. */
void message_add_control(struct socket_message *m, int level, int type, const void *data, size_t n);
/* SCM_TIMESTAMP(NS) as the options ask. */
void message_add_timestamp(struct socket *s, struct socket_message *m, uint64_t realtime_ns);

/* The families and protocols there are: kernel/net/net.c. */
extern const struct protocol *const protocols[];
extern const unsigned n_protocols;
