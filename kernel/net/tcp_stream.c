/*
 * Bytes in and out of a connection.  The program's memory is copied with no spinlock held: into packets before they
 * are queued, and from packets that only this reader may take off the receive queue.
 */
#include "kernel/arch/timer.h"
#include "kernel/lib/string.h"
#include "kernel/mem/page_cache.h"
#include "kernel/net/net.h"
#include "kernel/net/payload.h"
#include "kernel/net/tcp_internal.h"

#define BATCH_PACKETS 32u
#define PAGE_SIZE32 ((uint32_t)PAGE_SIZE)

/* --- sending --- */

static bool connecting(const struct tcp_connection *c)
{
	return c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECV;
}

/* May bytes be queued?  0, -EAGAIN: not now; else the end. */
static int send_state(struct tcp_connection *c)
{
	struct socket *s = &c->inet.socket;
	if (unlikely(s->error || s->shutdown & SHUTDOWN_SEND || c->state == TCP_CLOSE ||
		     c->state == TCP_LISTEN)) {
		int err = socket_take_error(s);
		return err ? err : -EPIPE;
	}
	if (connecting(c) || !tcp_send_memory(c))
		return -EAGAIN;
	return 0;
}

static bool send_ready(struct tcp_connection *c)
{
	return c->inet.socket.error || c->inet.socket.shutdown & SHUTDOWN_SEND ||
	       c->state == TCP_CLOSE ||
	       (!connecting(c) && c->send_charge <= c->inet.socket.send_limit / 3 * 2);
}

/* Without send_lock while it sleeps. */
static int wait_to_send(struct tcp_connection *c, int flags, uint64_t deadline_ns)
{
	for (;;) {
		int err = send_state(c);
		if (err != -EAGAIN)
			return err;
		irq_state irq = tcp_lock(c);
		c->no_space = true;
		tcp_unlock(c, irq);
		err = send_state(c);
		if (err != -EAGAIN || flags & MSG_DONTWAIT)
			return err;
		mutex_unlock(&c->send_lock);
		net_flush();
		err = wait_event_interruptible(&c->inet.socket.ready,
			EPOLLOUT | EPOLLERR | EPOLLHUP, send_ready(c), deadline_ns);
		mutex_lock(&c->send_lock);
		if (err < 0)
			return err == -ETIMEDOUT ? -EAGAIN : err;
	}
}

static void free_batch(struct list *batch)
{
	struct list *item;
	while ((item = list_pop_front(batch)))
		packet_free(list_entry(item, struct packet, link));
}

/* Hand packets with `n` bytes in all to the connection.  -EPIPE and the like: it ended meanwhile; all are freed. */
static int submit(struct tcp_connection *c, struct list *batch, unsigned output_flags)
{
	irq_state irq = tcp_lock(c);
	int err = 0;
	if (unlikely(c->inet.socket.error || c->inet.socket.shutdown & SHUTDOWN_SEND ||
		     c->state == TCP_CLOSE)) {
		err = socket_take_error(&c->inet.socket);
		err = err ? err : -EPIPE;
	} else {
		struct list *item;
		while ((item = list_pop_front(batch))) {
			struct packet *p = list_entry(item, struct packet, link);
			bool last = list_empty(batch) && !(output_flags & TCP_OUTPUT_MORE);
			tcp_enqueue(c, p, packet_length(p), last ? TCP_PSH : 0);
		}
		/* What is queued is there: without room it only makes the next sender wait. */
		(void)!tcp_memory_reserve(c, 0);
		tcp_output(c, output_flags);
	}
	tcp_unlock(c, irq);
	free_batch(batch);
	return err;
}

/* How much one packet takes, and all that fit the buffer now. */
static uint32_t packet_size(const struct tcp_connection *c)
{
	uint32_t size = min(tcp_segment_max(c), PACKET_PAYLOAD_MAX - PAGE_SIZE32);
	return size > c->mss ? size - size % c->mss : size;
}

/* Copy as much of the program's data as the buffer has room for (at least a packet); bytes, or -Exxx for none. */
static long fill_batch(struct tcp_connection *c, struct io_buffer *data, struct list *batch)
{
	uint32_t size = packet_size(c);
	uint32_t limit = tcp_send_limit(c), used = c->send_charge;
	uint32_t room = used < limit ? limit - used : 0;
	long n = 0;
	for (unsigned i = 0; i < BATCH_PACKETS && data->left > 0; i++) {
		uint32_t len = (uint32_t)min((size_t)size, data->left);
		struct packet *p = NULL;
		int err = packet_from_io(data, len, &p);
		if (err < 0)
			return n > 0 ? n : err;
		list_push_back(batch, &p->link);
		n += len;
		uint32_t charge = packet_charge(p);
		if (charge >= room)
			break;
		room -= charge;
	}
	return n;
}

static long send_all(struct tcp_connection *c, struct socket_message *m)
{
	long sent = 0;
	do {
		int err = wait_to_send(c, m->flags, m->deadline_ns);
		if (err < 0)
			return sent > 0 ? sent : err;
		struct list batch = LIST_INIT(batch);
		long n = fill_batch(c, m->data, &batch);
		if (n < 0)
			return sent > 0 ? sent : n == -ENOMEM ? -ENOBUFS : n;
		bool more = m->data->left > 0 || m->flags & MSG_MORE;
		if (n > 0)
			err = submit(c, &batch, more ? TCP_OUTPUT_MORE : 0);
		if (err < 0)
			return sent > 0 ? sent : err;
		sent += n;
	} while (m->data->left > 0);
	return sent;
}

long tcp_send(struct socket *s, struct socket_message *m)
{
	struct tcp_connection *c = tcp_of(s);
	if (m->flags & (MSG_OOB | MSG_FASTOPEN))
		return -EOPNOTSUPP;
	mutex_lock(&c->send_lock);
	long n = send_all(c, m);
	mutex_unlock(&c->send_lock);
	return n;
}

/* A packet that refers to pages: n bytes of the cache from offset on. */
static long packet_of_pages(
	struct page_cache *cache, uint64_t offset, uint32_t n, struct packet **out)
{
	struct packet *p = packet_alloc(0);
	if (!p)
		return -ENOBUFS;
	uint32_t got = 0;
	int err = 0;
	while (got < n && p->n_fragments < PACKET_FRAGMENTS - 1) {
		struct page *page = NULL;
		err = page_cache_get(cache, (offset + got) / PAGE_SIZE, &page);
		if (err < 0)
			break;
		uint32_t start = (uint32_t)((offset + got) % PAGE_SIZE);
		uint32_t len = min(n - got, PAGE_SIZE32 - start);
		p->fragments[p->n_fragments++] = (struct packet_fragment){page, start, len};
		got += len;
	}
	if (got == 0) {
		packet_free(p);
		return err;
	}
	*out = p;
	return got;
}

static long fill_pages(struct tcp_connection *c, struct page_cache *cache, uint64_t offset,
	size_t n, struct list *batch)
{
	uint32_t size = min(packet_size(c), (PACKET_FRAGMENTS - 2) * PAGE_SIZE32);
	uint32_t limit = tcp_send_limit(c), used = c->send_charge;
	uint32_t room = used < limit ? limit - used : 0;
	long done = 0;
	for (unsigned i = 0; i < BATCH_PACKETS && n > 0; i++) {
		struct packet *p = NULL;
		long got = packet_of_pages(cache, offset, (uint32_t)min((size_t)size, n), &p);
		if (got < 0)
			return done > 0 ? done : got;
		list_push_back(batch, &p->link);
		done += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
		uint32_t charge = packet_charge(p);
		if (charge >= room)
			break;
		room -= charge;
	}
	return done;
}

long tcp_send_pages(
	struct socket *s, struct page_cache *cache, uint64_t offset, size_t n, int flags)
{
	struct tcp_connection *c = tcp_of(s);
	uint64_t deadline =
		s->send_timeout_ns ? clock_monotonic_ns() + s->send_timeout_ns : NO_DEADLINE;
	long sent = 0;
	int err = 0;
	mutex_lock(&c->send_lock);
	while (n > 0) {
		err = wait_to_send(c, flags, deadline);
		if (err < 0)
			break;
		struct list batch = LIST_INIT(batch);
		long done = fill_pages(c, cache, offset, n, &batch);
		if (done < 0) {
			err = (int)done;
			break;
		}
		n -= (size_t)done;
		err = submit(c, &batch, n > 0 || flags & MSG_MORE ? TCP_OUTPUT_MORE : 0);
		if (err < 0)
			break;
		offset += (uint64_t)done;
		sent += done;
	}
	mutex_unlock(&c->send_lock);
	return sent > 0 ? sent : err;
}

/* --- receiving --- */

/* Take n bytes that were copied off the front. */
static void consume(struct tcp_connection *c, uint32_t n)
{
	struct list done = LIST_INIT(done);
	irq_state irq = tcp_lock(c);
	c->copied_seq += n;
	while (n > 0 && !list_empty(&c->receive_queue)) {
		struct packet *p = list_first(&c->receive_queue, struct packet, link);
		uint32_t len = packet_length(p);
		if (len > n) {
			packet_trim_front(p, n);
			break;
		}
		n -= len;
		tcp_uncharge_received(c, p);
		list_remove(&p->link);
		list_push_back(&done, &p->link);
	}
	tcp_memory_return(c);
	tcp_reader_progress(c);
	tcp_unlock(c, irq);
	free_batch(&done);
}

/*
 * Copy up to n bytes that lie `skip` bytes behind the reading position.  Walks the queue without the lock: whatever is
 * before the edge seen at the start stays as it is, packets are only ever added behind.
 */
static long copy_from_queue(
	struct tcp_connection *c, struct socket_message *m, uint32_t skip, size_t n)
{
	uint32_t readable = tcp_readable(c);
	if (readable <= skip)
		return 0;
	struct list *at = c->receive_queue.next;
	n = min(n, (size_t)(readable - skip));
	size_t copied = 0;
	int err = 0;
	while (copied < n) {
		struct packet *p = list_entry(at, struct packet, link);
		uint32_t len = min(packet_length(p), readable);
		readable -= len;
		if (skip < len) {
			uint32_t part = (uint32_t)min((size_t)(len - skip), n - copied);
			if (!(m->flags & MSG_TRUNC))
				err = packet_to_io(p, skip, m->data, part);
			if (err < 0)
				break;
			copied += part;
			skip = 0;
		} else {
			skip -= len;
		}
		if (copied < n)
			at = at->next;
	}
	return copied > 0 ? (long)copied : err;
}

/* Nothing (more) to read now: 0 to wait, 1 for end of file, or an error. */
static int receive_state(struct tcp_connection *c)
{
	struct socket *s = &c->inet.socket;
	if (c->fin_received)
		return 1;
	int err = socket_take_error(s);
	if (err < 0)
		return err;
	if (s->shutdown & SHUTDOWN_RECEIVE)
		return 1;
	return c->state == TCP_CLOSE || c->state == TCP_LISTEN ? -ENOTCONN : 0;
}

static bool receive_ready(struct tcp_connection *c, uint32_t more_than)
{
	return tcp_readable(c) > more_than || c->fin_received || c->inet.socket.error ||
	       c->inet.socket.shutdown & SHUTDOWN_RECEIVE || c->state == TCP_CLOSE;
}

/* read_lock held; let go while it sleeps.  peeked: bytes already seen by MSG_PEEK. */
static int wait_to_receive(struct tcp_connection *c, uint32_t peeked, uint64_t deadline_ns)
{
	mutex_unlock(&c->read_lock);
	net_flush();
	int err = wait_event_interruptible(&c->inet.socket.ready, EPOLLIN | EPOLLERR | EPOLLHUP,
		receive_ready(c, peeked), deadline_ns);
	mutex_lock(&c->read_lock);
	return err == -ETIMEDOUT ? -EAGAIN : err;
}

static long receive_all(struct tcp_connection *c, struct socket_message *m)
{
	bool peek = m->flags & MSG_PEEK;
	size_t wanted = m->data->left, copied = 0;
	size_t low_water = min((size_t)c->inet.socket.low_water, wanted);
	size_t target = m->flags & MSG_WAITALL ? wanted : max(low_water, (size_t)1);
	for (;;) {
		uint32_t peeked = peek ? (uint32_t)copied : 0;
		long n = copy_from_queue(c, m, peeked, wanted - copied);
		if (n > 0) {
			copied += (size_t)n;
			if (!peek)
				consume(c, (uint32_t)n);
		} else if (n < 0) {
			return copied > 0 ? (long)copied : n;
		}
		if (copied >= target || wanted == 0)
			return (long)copied;
		if (tcp_readable(c) > (peek ? copied : 0))
			continue;
		/* With something in hand an error stays for the next call. */
		if (copied > 0 && receive_ready(c, peeked))
			return (long)copied;
		int state = receive_state(c);
		if (state != 0)
			return state > 0 ? (long)copied : state;
		if (m->flags & MSG_DONTWAIT)
			return copied > 0 ? (long)copied : -EAGAIN;
		int err = wait_to_receive(c, peek ? (uint32_t)copied : 0, m->deadline_ns);
		if (err < 0)
			return copied > 0 ? (long)copied : err;
	}
}

long tcp_receive(struct socket *s, struct socket_message *m)
{
	struct tcp_connection *c = tcp_of(s);
	if (m->address)
		m->address->len = 0;
	if (m->flags & MSG_ERRQUEUE)
		return -EAGAIN;
	if (c->state == TCP_LISTEN)
		return -ENOTCONN;
	if (m->flags & MSG_OOB)
		return -EINVAL; /* there is never urgent data */
	mutex_lock(&c->read_lock);
	long n = receive_all(c, m);
	mutex_unlock(&c->read_lock);
	return n;
}
