/* Message queues.  One lock for all; who waits sleeps on the queue of its id's bucket and looks again. */
#include "kernel/ipc/msg.h"

#include "abi/linux/errno.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/sched/wait.h"

#define QUEUES_MAX 32000u
#define TOTAL_BYTES_MAX (64u << 20) /* of all queues, so that they can not fill the machine */

#define CAN_SEND 1u
#define CAN_RECEIVE 2u

struct msg_queue {
	struct ipc_object object; /* first */
	struct list messages;
	int64_t sent, received, changed;
	uint64_t n_bytes, n, max_bytes;
	int last_sender, last_receiver;
};

static struct ipc_table queues = {.max = QUEUES_MAX};
static uint64_t total_bytes, n_messages;

/* Where those sleep who wait for a queue, by id: a queue may go while they do. */
#define N_SLEEPERS 16u
static struct wait_queue sleepers[N_SLEEPERS];

/* Ready once there has been a queue: only then does anybody wait, or wake. */
static struct wait_queue *sleepers_of(int id)
{
	return &sleepers[(unsigned)id % N_SLEEPERS];
}

static struct msg_queue *find(int id)
{
	return (struct msg_queue *)ipc_find(&queues, id);
}

/* --- msgget(2) --- */

static long queue_add(const struct ipc_caller *who, int key, unsigned flags)
{
	struct msg_queue *q = heap_zalloc(sizeof(*q));
	if (!q)
		return -ENOMEM;
	ipc_fill(&q->object, who, key, flags);
	list_init(&q->messages);
	q->max_bytes = MSG_QUEUE_BYTES;
	q->changed = ipc_now();
	int err = ipc_add(&queues, &q->object);
	if (err < 0) {
		heap_free(q);
		return err;
	}
	static bool ready;
	for (unsigned i = 0; !ready && i < N_SLEEPERS; i++)
		wait_queue_init(&sleepers[i]);
	ready = true;
	return q->object.id;
}

long msg_get(const struct ipc_caller *who, int key, unsigned flags)
{
	struct ipc_object *found = NULL;
	irq_state state = spin_lock(&queues.lock);
	long result = ipc_lookup(&queues, who, key, flags, &found);
	if (result == 0)
		result = queue_add(who, key, flags);
	else if (result == 1)
		result = found->id;
	spin_unlock(&queues.lock, state);
	return result;
}

/* --- sending --- */

#define NOT_YET 1

/* Under the lock. */
static int try_send(const struct ipc_caller *who, int id, struct ipc_message *m)
{
	struct msg_queue *q = find(id);
	if (!q)
		return -EINVAL;
	if (!ipc_permits(&q->object, who, 0222))
		return -EACCES;
	/* An empty message takes room, too: there are as many as bytes at most. */
	if (q->n_bytes + m->size > q->max_bytes || q->n + 1 > q->max_bytes)
		return NOT_YET;
	if (total_bytes + m->size + sizeof(*m) > TOTAL_BYTES_MAX)
		return -ENOMEM;
	list_push_back(&q->messages, &m->link);
	q->n++;
	q->n_bytes += m->size;
	total_bytes += m->size + sizeof(*m);
	n_messages++;
	q->sent = ipc_now();
	q->last_sender = who->pid;
	return 0;
}

static int send_once(const struct ipc_caller *who, int id, struct ipc_message *m)
{
	irq_state state = spin_lock(&queues.lock);
	int err = try_send(who, id, m);
	spin_unlock(&queues.lock, state);
	return err;
}

int msg_send(const struct ipc_caller *who, int id, struct ipc_message *m, unsigned flags)
{
	struct wait_queue *q = sleepers_of(id);
	int err = send_once(who, id, m), interrupted = 0;
	if (err == NOT_YET && (flags & IPC_NOWAIT))
		return -EAGAIN;
	if (err == NOT_YET) {
		struct waiter w;
		waiter_init_thread(&w, CAN_SEND, 0);
		wait_add(q, &w);
		while ((err = send_once(who, id, m)) == NOT_YET && interrupted == 0)
			interrupted = thread_block_interruptible(NO_DEADLINE);
		wait_remove(q, &w);
		if (err == NOT_YET)
			err = interrupted;
		else if (err == -EINVAL)
			err = -EIDRM;
	}
	if (err == 0)
		wait_wake_all(q, CAN_RECEIVE);
	return err;
}

/* --- receiving --- */

/* What is asked for; msgrcv(2). */
struct request {
	uint64_t size;
	int64_t type;
	unsigned flags;
};

static struct ipc_message *nth(struct msg_queue *q, int64_t n)
{
	struct ipc_message *m;
	list_for_each (m, &q->messages, link)
		if (n-- == 0)
			return m;
	return NULL;
}

static struct ipc_message *choose(struct msg_queue *q, const struct request *r)
{
	struct ipc_message *m, *best = NULL;
	if (r->flags & MSG_COPY)
		return nth(q, r->type);
	int64_t limit = r->type == INT64_MIN ? INT64_MAX : -r->type;
	list_for_each (m, &q->messages, link) {
		bool fits = r->type == 0 ||
			    (r->type > 0 && (m->type == r->type) == !(r->flags & MSG_EXCEPT));
		if (fits)
			return m;
		/* A negative type: the lowest that is not above it. */
		if (r->type < 0 && m->type <= limit && (!best || m->type < best->type))
			best = m;
	}
	return best;
}

static void take(const struct ipc_caller *who, struct msg_queue *q, struct ipc_message *m)
{
	list_remove(&m->link);
	q->n--;
	q->n_bytes -= m->size;
	total_bytes -= m->size + sizeof(*m);
	n_messages--;
	q->received = ipc_now();
	q->last_receiver = who->pid;
}

static int copy_message(const struct ipc_message *m, struct ipc_message **out)
{
	*out = heap_alloc(sizeof(*m) + m->size);
	if (!*out)
		return -ENOMEM;
	memcpy(*out, m, sizeof(*m) + m->size);
	return 0;
}

/* Under the lock. */
static int try_receive(
	const struct ipc_caller *who, int id, const struct request *r, struct ipc_message **out)
{
	struct msg_queue *q = find(id);
	if (!q)
		return -EINVAL;
	if (!ipc_permits(&q->object, who, 0444))
		return -EACCES;
	struct ipc_message *m = choose(q, r);
	if (!m)
		return NOT_YET;
	if (m->size > r->size && !(r->flags & MSG_NOERROR))
		return -E2BIG;
	if (r->flags & MSG_COPY)
		return copy_message(m, out);
	take(who, q, m);
	*out = m;
	return 0;
}

static int receive_once(
	const struct ipc_caller *who, int id, const struct request *r, struct ipc_message **out)
{
	irq_state state = spin_lock(&queues.lock);
	int err = try_receive(who, id, r, out);
	spin_unlock(&queues.lock, state);
	return err;
}

int msg_receive(const struct ipc_caller *who, int id, uint64_t size, int64_t type, unsigned flags,
	struct ipc_message **out)
{
	const struct request r = {size, type, flags};
	struct wait_queue *q = sleepers_of(id);
	if ((flags & MSG_COPY) && ((flags & MSG_EXCEPT) || !(flags & IPC_NOWAIT)))
		return -EINVAL;
	int err = receive_once(who, id, &r, out), interrupted = 0;
	if (err == NOT_YET && (flags & IPC_NOWAIT))
		return -ENOMSG;
	if (err == NOT_YET) {
		struct waiter w;
		waiter_init_thread(&w, CAN_RECEIVE, 0);
		wait_add(q, &w);
		while ((err = receive_once(who, id, &r, out)) == NOT_YET && interrupted == 0)
			interrupted = thread_block_interruptible(NO_DEADLINE);
		wait_remove(q, &w);
		if (err == NOT_YET)
			err = interrupted;
		else if (err == -EINVAL)
			err = -EIDRM;
	}
	if (err == 0 && !(flags & MSG_COPY))
		wait_wake_all(q, CAN_SEND);
	return err;
}

/* --- msgctl(2) --- */

static void describe(const struct msg_queue *q, struct linux_msqid_ds *out)
{
	*out = (struct linux_msqid_ds){
		.perm = ipc_describe(&q->object),
		.sent = q->sent,
		.received = q->received,
		.changed = q->changed,
		.n_bytes = q->n_bytes,
		.n = q->n,
		.max_bytes = q->max_bytes,
		.last_sender = q->last_sender,
		.last_receiver = q->last_receiver,
	};
}

static long info(int command, struct linux_msginfo *out)
{
	bool usage = command == MSG_INFO;
	*out = (struct linux_msginfo){
		.pool = usage ? (int)queues.n : (int)(QUEUES_MAX * MSG_QUEUE_BYTES / 1024),
		.map = usage ? (int)n_messages : (int)MSG_QUEUE_BYTES,
		.max = (int)MSG_SIZE_MAX,
		.max_bytes = (int)MSG_QUEUE_BYTES,
		.n_queues = (int)QUEUES_MAX,
		.segment = 16,
		.n_headers = usage ? (int)(total_bytes - n_messages * sizeof(struct ipc_message))
				   : (int)MSG_QUEUE_BYTES,
		.n_segments = 0xffff,
	};
	return ipc_last(&queues);
}

static void remove_queue(struct msg_queue *q)
{
	while (!list_empty(&q->messages)) {
		struct ipc_message *m = list_first(&q->messages, struct ipc_message, link);
		list_remove(&m->link);
		total_bytes -= m->size + sizeof(*m);
		n_messages--;
		heap_free(m);
	}
	ipc_remove(&queues, &q->object);
	heap_free(q);
}

static long change(const struct ipc_caller *who, struct msg_queue *q, int command,
	const union msg_argument *buf)
{
	if (!ipc_owns(&q->object, who))
		return -EPERM;
	if (command == IPC_RMID) {
		remove_queue(q);
		return 0;
	}
	if (buf->ds.max_bytes > MSG_QUEUE_BYTES && !who->resource)
		return -EPERM;
	if (buf->ds.max_bytes > TOTAL_BYTES_MAX)
		return -EINVAL;
	ipc_set(&q->object, &buf->ds.perm);
	q->max_bytes = buf->ds.max_bytes;
	q->changed = ipc_now();
	return 0;
}

static long control(const struct ipc_caller *who, int id, int command, union msg_argument *buf)
{
	bool by_slot = command == MSG_STAT || command == MSG_STAT_ANY;
	struct msg_queue *q =
		by_slot ? (struct msg_queue *)ipc_at(&queues, (unsigned)id) : find(id);
	switch (command) {
	case IPC_INFO:
	case MSG_INFO:
		return info(command, &buf->info);
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		if (!q)
			return -EINVAL;
		if (command != MSG_STAT_ANY && !ipc_permits(&q->object, who, 0444))
			return -EACCES;
		describe(q, &buf->ds);
		return by_slot ? q->object.id : 0;
	case IPC_SET:
	case IPC_RMID:
		return q ? change(who, q, command, buf) : -EINVAL;
	default:
		return -EINVAL;
	}
}

long msg_control(const struct ipc_caller *who, int id, int command, union msg_argument *buf)
{
	irq_state state = spin_lock(&queues.lock);
	long result = control(who, id, command, buf);
	spin_unlock(&queues.lock, state);
	if (result == 0 && (command == IPC_SET || command == IPC_RMID))
		wait_wake_all(sleepers_of(id), CAN_SEND | CAN_RECEIVE);
	return result;
}

void msg_show(struct text *t)
{
	text_add(t,
		"       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid "
		" cgid      stime      rtime      ctime\n");
	irq_state state = spin_lock(&queues.lock);
	for (unsigned i = 0; i < queues.size; i++) {
		const struct msg_queue *q = (struct msg_queue *)queues.slots[i];
		if (!q)
			continue;
		const struct ipc_object *o = &q->object;
		text_add(t,
			"%10d %10d  %4o  %10lu %10lu %5d %5d %5u %5u %5u %5u %10ld %10ld %10ld\n",
			o->key, o->id, o->mode, q->n_bytes, q->n, q->last_sender, q->last_receiver,
			o->uid, o->gid, o->cuid, o->cgid, q->sent, q->received, q->changed);
	}
	spin_unlock(&queues.lock, state);
}
