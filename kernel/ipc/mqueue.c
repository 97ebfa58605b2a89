/* Queues.  Each has a lock; the list of names has another, outside of it.  User memory is touched under neither. */
#include "kernel/ipc/mqueue.h"

#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/time.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

/* /proc/sys/fs/mqueue */
#define QUEUES_MAX 256u
#define MESSAGES_DEFAULT 10
#define MESSAGES_MAX 10
#define MESSAGES_HARD_MAX 65536
#define SIZE_DEFAULT 8192
#define SIZE_MAX_BYTES 8192
#define SIZE_HARD_MAX (16 << 20)
#define MESSAGE_COST 128u /* what a message counts beside its text */

struct mq_message {
	struct list link;
	unsigned priority;
	uint32_t size;
	uint8_t text[];
};

struct mq {
	struct ipc_object object; /* uid, gid, mode */
	struct list link;         /* in names; under names_lock, like the next two */
	unsigned references;
	bool linked;
	char name[MQ_NAME_MAX + 1];
	uint64_t cost, max_messages, message_size;
	struct wait_queue ready;
	struct spinlock lock;
	/* under lock: */
	struct list messages; /* the most urgent first, the oldest of these first */
	uint64_t n, n_bytes;
	unsigned n_receivers; /* who waits: then nobody is notified */
	bool notified_set;
	struct file *notified_for; /* who asked to be told */
	struct mq_notification notification;
};

static struct spinlock names_lock;
static struct list names = LIST_INIT(names);
static unsigned n_queues;
static uint64_t total_cost;
static void (*tell_signal)(int signal, uint64_t value, const struct ipc_caller *sender);
static void (*tell_cookie)(struct file *socket, const void *cookie, size_t n);

void mq_set_tellers(void (*signal)(int signal, uint64_t value, const struct ipc_caller *sender),
	void (*cookie)(struct file *socket, const void *cookie, size_t n))
{
	tell_signal = signal;
	tell_cookie = cookie;
}

/* --- names, under names_lock --- */

static struct mq *find(const char *name)
{
	struct mq *q;
	list_for_each (q, &names, link)
		if (strcmp(q->name, name) == 0)
			return q;
	return NULL;
}

/* The queue when nobody refers to it any more; free it without the lock. */
static struct mq *drop(struct mq *q)
{
	if (--q->references)
		return NULL;
	n_queues--;
	total_cost -= q->cost;
	return q;
}

static void mq_free(struct mq *q)
{
	if (!q)
		return;
	for (struct list *l; (l = list_pop_front(&q->messages)) != NULL;)
		heap_free(list_entry(l, struct mq_message, link));
	heap_free(q);
}

/* --- the file --- */

static unsigned mq_poll(struct file *f)
{
	struct mq *q = f->object;
	irq_state state = spin_lock(&q->lock);
	unsigned events = (q->n ? POLLIN | POLLRDNORM : 0) |
			  (q->n < q->max_messages ? POLLOUT | POLLWRNORM : 0);
	spin_unlock(&q->lock, state);
	return events;
}

/* Forget who wanted to be told; the socket to give back, or NULL.  Under q->lock. */
static struct file *forget_notification(struct mq *q)
{
	struct file *socket = q->notified_set ? q->notification.socket : NULL;
	q->notified_set = false;
	q->notified_for = NULL;
	return socket;
}

static void finish_cookie(struct file *socket, uint8_t cookie[MQ_NOTIFY_COOKIE], uint8_t why)
{
	if (!socket)
		return;
	cookie[MQ_NOTIFY_COOKIE - 1] = why;
	tell_cookie(socket, cookie, MQ_NOTIFY_COOKIE);
	file_put(socket);
}

static void withdraw_notification(struct mq *q)
{
	uint8_t cookie[MQ_NOTIFY_COOKIE];
	irq_state state = spin_lock(&q->lock);
	memcpy(cookie, q->notification.cookie, sizeof(cookie));
	struct file *socket = forget_notification(q);
	spin_unlock(&q->lock, state);
	finish_cookie(socket, cookie, MQ_NOTIFY_REMOVED);
}

/* Linux drops it with any close by the process that asked, whatever descriptor it asked through. */
static int mq_flush(struct file *f)
{
	withdraw_notification(f->object);
	return 0;
}

static void mq_release(struct file *f)
{
	struct mq *q = f->object;
	irq_state state = spin_lock(&names_lock);
	q = drop(q);
	spin_unlock(&names_lock, state);
	mq_free(q);
}

/* read(2) of one shows its state, as a file of the mqueue file system does. */
static long mq_read(struct file *f, struct io_buffer *to, uint64_t *offset)
{
	struct mq *q = f->object;
	char text[128];
	irq_state state = spin_lock(&q->lock);
	int n = format(text, sizeof(text), "QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
		q->n_bytes, q->notified_set ? q->notification.notify : 0,
		q->notified_set && q->notification.notify == SIGEV_SIGNAL ? q->notification.signal
									  : 0,
		q->notified_set);
	spin_unlock(&q->lock, state);
	uint64_t at = offset ? *offset : 0;
	if (at >= (uint64_t)n)
		return 0;
	size_t left = min((size_t)n - at, to->left);
	int err = io_buffer_put(to, text + at, left);
	if (err == 0 && offset)
		*offset += left;
	return err < 0 ? err : (long)left;
}

static const struct file_ops mq_ops = {
	.kind = "[mqueue]",
	.read = mq_read,
	.poll = mq_poll,
	.flush = mq_flush,
	.release = mq_release,
};

/* --- mq_open(3) --- */

static int check_sizes(const struct linux_mq_attr *a, const struct mq_limits *limits)
{
	int64_t most = limits->lifted ? MESSAGES_HARD_MAX : MESSAGES_MAX;
	int64_t largest = limits->lifted ? SIZE_HARD_MAX : SIZE_MAX_BYTES;
	if (a->max_messages <= 0 || a->message_size <= 0 || a->max_messages > most ||
		a->message_size > largest)
		return -EINVAL;
	return 0;
}

static int mq_new(const struct ipc_caller *who, const char *name, unsigned mode,
	const struct linux_mq_attr *attr, const struct mq_limits *limits, struct mq **out)
{
	const struct linux_mq_attr usual = {
		.max_messages = MESSAGES_DEFAULT, .message_size = SIZE_DEFAULT};
	const struct linux_mq_attr *a = attr ? attr : &usual;
	int err = check_sizes(a, limits);
	struct mq *q = err < 0 ? NULL : heap_zalloc(sizeof(*q));
	if (!q)
		return err < 0 ? err : -ENOMEM;
	ipc_fill(&q->object, who, 0, mode);
	string_copy(q->name, name, sizeof(q->name));
	q->max_messages = (uint64_t)a->max_messages;
	q->message_size = (uint64_t)a->message_size;
	q->cost = q->max_messages * (q->message_size + MESSAGE_COST);
	wait_queue_init(&q->ready);
	list_init(&q->messages);
	list_init(&q->link);
	*out = q;
	return 0;
}

/* Under names_lock. */
static int publish(struct mq *q, const struct mq_limits *limits)
{
	if (n_queues >= QUEUES_MAX && !limits->lifted)
		return -ENOSPC;
	if (total_cost + q->cost > limits->bytes)
		return -EMFILE;
	list_push_back(&names, &q->link);
	n_queues++;
	total_cost += q->cost;
	q->linked = true;
	q->references = 2; /* the name and the file */
	return 0;
}

static int open_existing(struct mq *q, const struct ipc_caller *who, unsigned flags)
{
	static const uint16_t wanted[] = {0444, 0222, 0666};
	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	if ((flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	if (!ipc_permits(&q->object, who, wanted[flags & O_ACCMODE]))
		return -EACCES;
	q->references++;
	return 0;
}

int mq_open_file(const struct ipc_caller *who, const char *name, unsigned flags, unsigned mode,
	const struct linux_mq_attr *attr, const struct mq_limits *limits, struct file **out)
{
	struct mq *fresh = NULL;
	int made = flags & O_CREAT ? mq_new(who, name, mode, attr, limits, &fresh) : -ENOENT;
	irq_state state = spin_lock(&names_lock);
	struct mq *q = find(name);
	int err = q ? open_existing(q, who, flags) : made;
	if (!q && err == 0) {
		err = publish(fresh, limits);
		q = err == 0 ? fresh : NULL;
		fresh = err == 0 ? NULL : fresh;
	}
	spin_unlock(&names_lock, state);
	mq_free(fresh);
	if (err < 0)
		return err;
	err = file_new(&mq_ops, q, flags & (O_ACCMODE | O_NONBLOCK), out);
	if (err == 0) {
		(*out)->ready = &q->ready;
		return 0;
	}
	state = spin_lock(&names_lock);
	q = drop(q);
	spin_unlock(&names_lock, state);
	mq_free(q);
	return err;
}

int mq_unlink_name(const struct ipc_caller *who, const char *name)
{
	irq_state state = spin_lock(&names_lock);
	struct mq *q = find(name), *last = NULL;
	int err = !q ? -ENOENT : !ipc_owns(&q->object, who) && !who->overrides ? -EPERM : 0;
	if (err == 0) {
		list_remove(&q->link);
		last = drop(q);
	}
	spin_unlock(&names_lock, state);
	mq_free(last);
	return err;
}

static struct mq *queue_of(struct file *f)
{
	return f->ops == &mq_ops ? f->object : NULL;
}

/* --- sending and receiving --- */

/* Under q->lock: the message that makes an empty queue full of one; who is to be told of it. */
static bool due_notification(struct mq *q, struct mq_notification *out)
{
	if (!q->notified_set || q->n != 1 || q->n_receivers)
		return false;
	*out = q->notification;
	(void)forget_notification(q);
	return true;
}

static bool try_send(struct mq *q, struct mq_message *m, struct mq_notification *n, bool *tell)
{
	irq_state state = spin_lock(&q->lock);
	bool room = q->n < q->max_messages;
	if (room) {
		struct mq_message *other;
		list_for_each (other, &q->messages, link)
			if (other->priority < m->priority)
				break;
		list_insert(other->link.prev, &other->link, &m->link);
		q->n++;
		q->n_bytes += m->size;
		*tell = due_notification(q, n);
	}
	spin_unlock(&q->lock, state);
	return room;
}

static void tell(struct mq_notification *n, const struct ipc_caller *sender)
{
	if (n->notify == SIGEV_SIGNAL)
		tell_signal(n->signal, n->value, sender);
	else if (n->notify == SIGEV_THREAD)
		finish_cookie(n->socket, n->cookie, MQ_NOTIFY_WOKEN);
}

static int wait_and_send(struct mq *q, struct file *f, struct mq_message *m, uint64_t deadline_ns,
	struct mq_notification *n, bool *due)
{
	bool sent = try_send(q, m, n, due);
	if (sent || file_nonblocking(f))
		return sent ? 0 : -EAGAIN;
	return wait_event_exclusive(&q->ready, POLLOUT, try_send(q, m, n, due), deadline_ns);
}

int mq_send_message(const struct ipc_caller *who, struct file *f, user_addr text, size_t n,
	unsigned priority, uint64_t deadline_ns)
{
	struct mq *q = queue_of(f);
	struct mq_notification notification;
	bool due = false;
	if (priority >= MQ_PRIO_MAX)
		return -EINVAL;
	if (!q || !file_writable(f))
		return -EBADF;
	if (n > q->message_size)
		return -EMSGSIZE;
	struct mq_message *m = heap_alloc(sizeof(*m) + n);
	if (!m)
		return -ENOMEM;
	m->priority = priority;
	m->size = (uint32_t)n;
	int err = copy_in(m->text, text, n);
	if (err == 0)
		err = wait_and_send(q, f, m, deadline_ns, &notification, &due);
	if (err < 0) {
		heap_free(m);
		return err;
	}
	if (due)
		tell(&notification, who);
	wait_wake(&q->ready, POLLIN | POLLRDNORM);
	return 0;
}

static bool try_receive(struct mq *q, struct mq_message **out)
{
	irq_state state = spin_lock(&q->lock);
	struct list *l = list_pop_front(&q->messages);
	if (l) {
		*out = list_entry(l, struct mq_message, link);
		q->n--;
		q->n_bytes -= (*out)->size;
	}
	spin_unlock(&q->lock, state);
	return l;
}

static void count_receiver(struct mq *q, int by)
{
	irq_state state = spin_lock(&q->lock);
	q->n_receivers += (unsigned)by;
	spin_unlock(&q->lock, state);
}

long mq_receive_message(
	struct file *f, user_addr to, size_t size, unsigned *priority, uint64_t deadline_ns)
{
	struct mq *q = queue_of(f);
	struct mq_message *m = NULL;
	if (!q || !file_readable(f))
		return -EBADF;
	if (size < q->message_size)
		return -EMSGSIZE;
	if (!try_receive(q, &m)) {
		if (file_nonblocking(f))
			return -EAGAIN;
		count_receiver(q, 1);
		int err = wait_event_exclusive(&q->ready, POLLIN, try_receive(q, &m), deadline_ns);
		count_receiver(q, -1);
		if (err < 0)
			return err;
	}
	*priority = m->priority;
	long result = copy_out(to, m->text, m->size) < 0 ? -EFAULT : (long)m->size;
	heap_free(m);
	wait_wake(&q->ready, POLLOUT | POLLWRNORM);
	return result;
}

int mq_attributes(struct file *f, const struct linux_mq_attr *new, struct linux_mq_attr *old)
{
	struct mq *q = queue_of(f);
	if (!q)
		return -EBADF;
	if (new && (new->flags & ~(int64_t)O_NONBLOCK))
		return -EINVAL;
	irq_state state = spin_lock(&q->lock);
	*old = (struct linux_mq_attr){
		.flags = f->flags & O_NONBLOCK,
		.max_messages = (int64_t)q->max_messages,
		.message_size = (int64_t)q->message_size,
		.n_messages = (int64_t)q->n,
	};
	spin_unlock(&q->lock, state);
	if (new &&new->flags)
		atomic_fetch_or(&f->flags, O_NONBLOCK);
	else if (new)
		atomic_fetch_and(&f->flags, ~(uint32_t)O_NONBLOCK);
	return 0;
}

int mq_set_notification(struct file *f, const struct mq_notification *n)
{
	struct mq *q = queue_of(f);
	if (!q)
		return -EBADF;
	if (!n) {
		withdraw_notification(q);
		return 0;
	}
	irq_state state = spin_lock(&q->lock);
	bool busy = q->notified_set;
	if (!busy) {
		q->notification = *n;
		q->notified_set = true;
		q->notified_for = f;
	}
	spin_unlock(&q->lock, state);
	return busy ? -EBUSY : 0;
}
