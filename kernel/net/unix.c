/* AF_UNIX: names, pairs, endings; what stream, datagram and seqpacket sockets have in common. */
#include "kernel/net/unix.h"

#include "abi/linux/net_if.h"
#include "kernel/lib/format.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define BUCKETS 64u

static const struct unix_names *names;
static void (*current_ids)(uint32_t ids[3]);

/* A socket by its abstract name. */
struct abstract {
	struct abstract *next;
	struct unix_name *name;
	struct unix_socket *socket; /* not counted: it leaves when it closes */
};
static struct spinlock all_lock;
static struct list all_sockets = LIST_INIT(all_sockets); /* under all_lock */

static struct spinlock abstract_lock;
static struct abstract *abstract_names[BUCKETS]; /* under abstract_lock */

void unix_set_names(const struct unix_names *n)
{
	names = n;
}

void unix_set_credentials(void (*current)(uint32_t ids[3]))
{
	current_ids = current;
}

void unix_current_ids(uint32_t ids[3])
{
	ids[0] = 1;
	ids[1] = ids[2] = 0;
	if (current_ids)
		current_ids(ids);
}

void unix_name_put(struct unix_name *n)
{
	if (atomic_fetch_sub_explicit(&n->references, 1, memory_order_acq_rel) == 1)
		heap_free(n);
}

struct unix_socket *unix_get_peer(struct unix_socket *u)
{
	irq_state irq = unix_lock(u);
	struct unix_socket *peer = u->peer;
	if (peer)
		socket_hold(&peer->socket);
	unix_unlock(u, irq);
	return peer;
}

/* --- making and ending --- */

int unix_create(const struct protocol *p, int number, struct socket **out)
{
	if (number != 0 && number != AF_UNIX)
		return -EPROTONOSUPPORT;
	struct socket *s = socket_alloc(p, 0, sizeof(struct unix_socket));
	if (!s)
		return -ENOMEM;
	struct unix_socket *u = unix_of(s);
	mutex_init(&u->read_lock);
	mutex_init(&u->bind_lock);
	mutex_init(&u->send_lock);
	wait_queue_init(&u->space);
	list_init(&u->received);
	list_init(&u->pending);
	list_init(&u->accept_link);
	list_init(&u->blocked);
	list_init(&u->blocked_link);
	u->peer_ids[1] = u->peer_ids[2] = UINT32_MAX;
	irq_state irq = spin_lock(&all_lock);
	list_push_back(&all_sockets, &u->all_link);
	spin_unlock(&all_lock, irq);
	*out = s;
	return 0;
}

int unix_pair(struct socket *a, struct socket *b)
{
	struct unix_socket *x = unix_of(a), *y = unix_of(b);
	unix_current_ids(x->ids);
	memcpy(x->peer_ids, x->ids, sizeof(x->ids));
	memcpy(y->ids, x->ids, sizeof(x->ids));
	memcpy(y->peer_ids, x->ids, sizeof(x->ids));
	socket_hold(a);
	socket_hold(b);
	x->peer = y;
	y->peer = x;
	x->state = y->state = UNIX_CONNECTED;
	return 0;
}

static uint32_t swapped(uint32_t bits)
{
	return (bits & SHUTDOWN_SEND ? SHUTDOWN_RECEIVE : 0) |
	       (bits & SHUTDOWN_RECEIVE ? SHUTDOWN_SEND : 0);
}

static void announce_end(struct unix_socket *u)
{
	wait_wake_all(&u->socket.ready, EVENTS_ALL);
	wait_wake_all(&u->space, EVENTS_ALL);
}

int unix_shutdown(struct socket *s, int how)
{
	struct unix_socket *u = unix_of(s);
	uint32_t bits = how == SHUT_RD   ? SHUTDOWN_RECEIVE
			: how == SHUT_WR ? SHUTDOWN_SEND
					 : SHUTDOWN_BOTH;
	s->shutdown |= bits;
	announce_end(u);
	struct unix_socket *peer = unix_connection_based(u) ? unix_get_peer(u) : NULL;
	if (peer) {
		peer->socket.shutdown |= swapped(bits);
		announce_end(peer);
		unix_put(peer);
	}
	return 0;
}

static uint32_t bucket_of(const char *path, uint32_t len)
{
	uint32_t h = len;
	for (uint32_t i = 0; i < len; i++)
		h = h * 31 + (uint8_t)path[i];
	return h % BUCKETS;
}

static void abstract_remove(struct unix_socket *u)
{
	if (!u->name || u->name->path[0] != '\0')
		return;
	struct abstract *found = NULL;
	irq_state irq = spin_lock(&abstract_lock);
	struct abstract **at = &abstract_names[bucket_of(u->name->path, u->name->len)];
	while (*at && (*at)->socket != u)
		at = &(*at)->next;
	if (*at) {
		found = *at;
		*at = found->next;
	}
	spin_unlock(&abstract_lock, irq);
	heap_free(found);
}

/* The other side learns; unread data mean a reset. */
static void end_peer(struct unix_socket *peer, bool unread)
{
	irq_state irq = unix_lock(peer);
	peer->socket.shutdown = SHUTDOWN_BOTH;
	if (unread)
		peer->socket.error = ECONNRESET;
	unix_unlock(peer, irq);
	announce_end(peer);
}

/* Also of a connection that nobody accepted. */
static void end_socket(struct unix_socket *u, bool embryo)
{
	abstract_remove(u);
	struct list queue = LIST_INIT(queue);
	irq_state irq = unix_lock(u);
	bool unread = !list_empty(&u->received) || embryo;
	u->dead = true;
	u->socket.shutdown = SHUTDOWN_BOTH;
	struct unix_socket *peer = u->peer;
	u->peer = NULL;
	struct list *item;
	while ((item = list_pop_front(&u->received)))
		list_push_back(&queue, item);
	u->charge = u->n_received = 0;
	unix_unlock(u, irq);
	announce_end(u);
	unix_announce_space(u);
	unix_forget_blocked(u);
	while ((item = list_pop_front(&queue)))
		unix_message_free(list_entry(item, struct unix_message, link));
	if (!peer)
		return;
	if (unix_connection_based(u))
		end_peer(peer, unread);
	unix_put(peer);
}

void unix_close(struct socket *s, bool nonblocking)
{
	(void)nonblocking;
	struct unix_socket *u = unix_of(s);
	for (;;) {
		irq_state irq = unix_lock(u);
		u->dead = true;
		struct list *item = list_pop_front(&u->pending);
		unix_unlock(u, irq);
		if (!item)
			break;
		struct unix_socket *child = list_entry(item, struct unix_socket, accept_link);
		end_socket(child, true);
		unix_put(child);
	}
	end_socket(u, false);
}

void unix_destroy(struct socket *s)
{
	struct unix_socket *u = unix_of(s);
	irq_state irq = spin_lock(&all_lock);
	list_remove(&u->all_link);
	spin_unlock(&all_lock, irq);
	if (u->name)
		unix_name_put(u->name);
}

void unix_each(void (*each)(void *arg, struct unix_socket *u), void *arg)
{
	struct unix_socket *u = NULL;
	irq_state irq = spin_lock(&all_lock);
	list_for_each (u, &all_sockets, all_link)
		each(arg, u);
	spin_unlock(&all_lock, irq);
}

/* --- names --- */

/* -EINVAL: not an address of ours.  The result is to be freed. */
static int name_parse(const struct socket_address *a, struct unix_name **out)
{
	uint16_t family = 0;
	if (a->len < sizeof(family) + 1 || a->len > sizeof(struct linux_sockaddr_un))
		return -EINVAL;
	memcpy(&family, a->bytes, sizeof(family));
	if (family != AF_UNIX)
		return -EINVAL;
	struct unix_name *n = heap_zalloc(sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->references = 1;
	n->len = a->len - 2;
	memcpy(n->path, a->bytes + 2, n->len);
	if (n->path[0] != '\0')
		n->len = (uint32_t)strlen(n->path) + 1;
	*out = n;
	return 0;
}

/* Each type has its own names. */
static struct unix_socket *abstract_find(const char *path, uint32_t len, int type)
{
	for (struct abstract *a = abstract_names[bucket_of(path, len)]; a; a = a->next)
		if (a->name->len == len && memcmp(a->name->path, path, len) == 0 &&
			a->socket->socket.type == type)
			return a->socket;
	return NULL;
}

static int abstract_add(struct unix_socket *u, struct unix_name *n)
{
	struct abstract *fresh = heap_zalloc(sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	fresh->name = n;
	fresh->socket = u;
	irq_state irq = spin_lock(&abstract_lock);
	bool taken = abstract_find(n->path, n->len, u->socket.type);
	if (!taken) {
		struct abstract **bucket = &abstract_names[bucket_of(n->path, n->len)];
		fresh->next = *bucket;
		*bucket = fresh;
	}
	spin_unlock(&abstract_lock, irq);
	if (taken)
		heap_free(fresh);
	return taken ? -EADDRINUSE : 0;
}

static void hold_object(void *object)
{
	socket_hold(object);
}

static void put_object(void *object)
{
	socket_put(object);
}

static int add_name(struct unix_socket *u, struct unix_name *n)
{
	if (n->path[0] == '\0')
		return abstract_add(u, n);
	if (!names)
		return -EOPNOTSUPP;
	int err = names->bind(n->path, 0777, &u->socket, hold_object, put_object);
	return err == -EEXIST ? -EADDRINUSE : err;
}

/* unix(7): an abstract name of five hexadecimal digits. */
static int autobind(struct unix_socket *u)
{
	struct unix_name *n = heap_zalloc(sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->references = 1;
	n->len = 6;
	int err = -EADDRINUSE;
	for (unsigned tries = 0; err == -EADDRINUSE && tries < 256; tries++) {
		format(n->path + 1, 6, "%05x", (unsigned)random_u64() & 0xfffffu);
		err = abstract_add(u, n);
	}
	if (err < 0)
		heap_free(n);
	else
		u->name = n;
	return err;
}

int unix_bind(struct socket *s, const struct socket_address *a)
{
	struct unix_socket *u = unix_of(s);
	uint16_t family = 0;
	if (a->len < sizeof(family))
		return -EINVAL;
	memcpy(&family, a->bytes, sizeof(family));
	if (family != AF_UNIX)
		return -EINVAL;
	struct unix_name *n = NULL;
	int err = 0;
	mutex_lock(&u->bind_lock);
	if (u->name) {
		err = a->len == sizeof(family) ? 0 : -EINVAL;
	} else if (a->len == sizeof(family)) {
		err = autobind(u);
	} else {
		err = name_parse(a, &n);
		if (err == 0)
			err = add_name(u, n);
		if (err == 0)
			u->name = n;
		else if (n)
			heap_free(n);
	}
	mutex_unlock(&u->bind_lock);
	return err;
}

static int find_path(const char *path, struct unix_socket **out)
{
	void *object = NULL;
	if (!names)
		return -ENOENT;
	int err = names->find(path, &object);
	if (err == 0)
		*out = object;
	return err;
}

int unix_find(const struct socket_address *a, int type, struct unix_socket **out)
{
	struct unix_name *n = NULL;
	int err = name_parse(a, &n);
	if (err < 0)
		return err;
	struct unix_socket *u = NULL;
	if (n->path[0] != '\0') {
		err = find_path(n->path, &u);
	} else {
		irq_state irq = spin_lock(&abstract_lock);
		u = abstract_find(n->path, n->len, type);
		if (u)
			socket_hold(&u->socket);
		spin_unlock(&abstract_lock, irq);
		err = u ? 0 : -ECONNREFUSED;
	}
	heap_free(n);
	if (err < 0)
		return err;
	if (u->dead)
		err = -ECONNREFUSED;
	else if (u->socket.type != type)
		err = -EPROTOTYPE;
	if (err < 0) {
		unix_put(u);
		return err;
	}
	*out = u;
	return 0;
}

static void name_format(const struct unix_name *n, struct socket_address *out)
{
	uint16_t family = AF_UNIX;
	memcpy(out->bytes, &family, sizeof(family));
	out->len = sizeof(family);
	if (!n)
		return;
	memcpy(out->bytes + 2, n->path, n->len);
	out->len += n->len;
}

int unix_local_name(struct socket *s, struct socket_address *out)
{
	name_format(unix_of(s)->name, out);
	return 0;
}

int unix_peer_name(struct socket *s, struct socket_address *out)
{
	struct unix_socket *peer = unix_get_peer(unix_of(s));
	if (!peer)
		return -ENOTCONN;
	name_format(peer->name, out);
	unix_put(peer);
	return 0;
}

/* --- the rest --- */

int unix_get_option(struct socket *s, int level, int name, void *value, size_t size)
{
	struct unix_socket *u = unix_of(s);
	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	if (name != SO_PEERCRED)
		return -ENOPROTOOPT;
	struct linux_ucred ids = {(int32_t)u->peer_ids[0], u->peer_ids[1], u->peer_ids[2]};
	return option_put(value, size, &ids, sizeof(ids));
}

int unix_ioctl(struct socket *s, unsigned request, int *value)
{
	struct unix_socket *u = unix_of(s);
	if (request == FIONREAD) {
		if (u->state == UNIX_LISTENING)
			return -EINVAL;
		mutex_lock(&u->read_lock);
		irq_state irq = unix_lock(u);
		struct unix_message *first =
			list_empty(&u->received)
				? NULL
				: list_first(&u->received, struct unix_message, link);
		*value = !first                   ? 0
			 : s->type == SOCK_STREAM ? (int)(u->charge - first->offset)
						  : (int)first->len;
		unix_unlock(u, irq);
		mutex_unlock(&u->read_lock);
		return 0;
	}
	if (request != SIOCOUTQ)
		return -ENOTTY;
	struct unix_socket *peer = unix_get_peer(u);
	*value = peer ? (int)peer->charge : 0;
	if (peer)
		unix_put(peer);
	return 0;
}
