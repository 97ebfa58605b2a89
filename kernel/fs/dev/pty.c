/*
 * Pseudo-terminals, pty(7): /dev/ptmx makes a pair; the other end is /dev/pts/N.
 *
 * A process that makes one its controlling terminal (TIOCSCTTY, or opening it without O_NOCTTY while it has none) gets its
 * signals and finds it as /dev/tty; there is one process, so that is a matter of one pointer.
 */
#include "kernel/fs/dev/pty.h"

#include "abi/linux/errno.h"
#include "abi/linux/signal.h"
#include "abi/linux/statfs.h"
#include "kernel/arch/timer.h"
#include "kernel/file/fd_table.h"
#include "kernel/fs/dev/device.h"
#include "kernel/fs/dev/terminal.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

#define PTYS_MAX 256u
#define CHUNK 256u

struct pty {
	unsigned number;
	unsigned references; /* files; under table.lock */
	struct wait_queue master_ready, slave_ready;
	struct mutex lock;
	/* under lock; looked at by poll without: */
	struct terminal terminal;
	atomic_bool master_open, locked, packets;
	atomic_uint n_slaves;
	atomic_bool slave_gone; /* the last of them closed */
};

static struct {
	struct mutex lock;
	/* under lock: */
	struct pty *ptys[PTYS_MAX];
	struct pty *controlling; /* not counted: taken back when it ends */
} table;

static void (*signal_hook)(int signal);

void terminal_set_signal_hook(void (*send)(int signal))
{
	mutex_init(&table.lock);
	signal_hook = send;
}

static void signal_from(struct pty *p, int signal)
{
	if (signal && table.controlling == p && signal_hook)
		signal_hook(signal);
}

static void pty_unref(struct pty *p)
{
	mutex_lock(&table.lock);
	bool last = --p->references == 0;
	if (last)
		table.ptys[p->number] = NULL;
	if (last && table.controlling == p)
		table.controlling = NULL;
	mutex_unlock(&table.lock);
	if (last)
		heap_free(p);
}

static void tell(struct pty *p)
{
	wait_wake_all(&p->master_ready, EVENTS_ALL);
	wait_wake_all(&p->slave_ready, EVENTS_ALL);
}

/* --- the slave ------------------------------------------------------------------------------- */

/* Enough for read(2): lines, or as many bytes as VMIN says. */
static bool has_enough(const struct pty *p, size_t wanted)
{
	uint32_t n = terminal_readable(&p->terminal);
	if (p->terminal.settings.c_lflag & ICANON)
		return n;
	uint32_t least = p->terminal.settings.c_cc[VMIN];
	return n && n >= min((size_t)least, wanted);
}

/* VTIME, in tenths of a second; 0: none. */
static uint64_t read_deadline(const struct pty *p)
{
	const struct linux_termios *s = &p->terminal.settings;
	if (s->c_lflag & ICANON)
		return NO_DEADLINE;
	if (!s->c_cc[VTIME])
		return s->c_cc[VMIN] ? NO_DEADLINE : 0;
	/* With VMIN the clock runs only between bytes. */
	if (s->c_cc[VMIN] && !terminal_readable(&p->terminal))
		return NO_DEADLINE;
	return clock_monotonic_ns() + s->c_cc[VTIME] * (NS_PER_S / 10);
}

static long slave_take(struct pty *p, struct io_buffer *to)
{
	uint8_t chunk[CHUNK];
	long done = 0;
	bool lines = p->terminal.settings.c_lflag & ICANON;
	mutex_lock(&p->lock);
	while (to->left && terminal_readable(&p->terminal)) {
		size_t want = min(to->left, (size_t)CHUNK);
		size_t n = terminal_take(&p->terminal, chunk, want);
		int err = io_buffer_put(to, chunk, n);
		if (err < 0) {
			done = done ? done : err;
			break;
		}
		done += (long)n;
		if (n < want || (lines && n && chunk[n - 1] == '\n'))
			break;
	}
	mutex_unlock(&p->lock);
	wait_wake(&p->master_ready, EPOLLOUT | EPOLLWRNORM);
	return done;
}

static long slave_read(struct file *f, struct io_buffer *to, uint64_t *offset)
{
	(void)offset;
	struct pty *p = f->object;
	size_t wanted = to->left;
	if (!wanted)
		return 0;
	while (!has_enough(p, wanted)) {
		if (!p->master_open)
			return terminal_readable(&p->terminal) ? slave_take(p, to) : 0;
		uint64_t deadline = read_deadline(p);
		if (deadline && file_nonblocking(f))
			return -EAGAIN;
		uint32_t had = terminal_readable(&p->terminal);
		int err = deadline ? wait_event_interruptible(&p->slave_ready, EVENTS_ALL,
					     terminal_readable(&p->terminal) != had ||
						     has_enough(p, wanted) || !p->master_open,
					     deadline)
				   : -ETIMEDOUT;
		if (err == -ETIMEDOUT)
			return had ? slave_take(p, to) : 0;
		if (err < 0)
			return err;
	}
	return slave_take(p, to);
}

static long slave_write(struct file *f, struct io_buffer *from, uint64_t *offset)
{
	(void)offset;
	struct pty *p = f->object;
	size_t total = from->left;
	uint8_t chunk[CHUNK];
	int err = 0;
	while (from->left && !err) {
		mutex_lock(&p->lock);
		size_t n = min(
			min(from->left, (size_t)CHUNK), (size_t)ring_room(&p->terminal.out) / 2);
		err = !p->master_open ? -EIO : n ? io_buffer_get(from, chunk, n) : 0;
		if (!err && n)
			(void)!terminal_show(
				&p->terminal, chunk, n); /* it fits: twice n is there */
		mutex_unlock(&p->lock);
		wait_wake(&p->master_ready, EPOLLIN | EPOLLRDNORM);
		if (!err && !n && file_nonblocking(f))
			err = -EAGAIN;
		else if (!err && !n)
			err = wait_event_interruptible(&p->slave_ready, EVENTS_ALL,
				ring_room(&p->terminal.out) >= 2 || !p->master_open, NO_DEADLINE);
	}
	return from->left < total ? (long)(total - from->left) : err;
}

static unsigned slave_poll(struct file *f)
{
	struct pty *p = f->object;
	if (!p->master_open)
		return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLERR | POLLHUP;
	return (has_enough(p, SIZE_MAX) ? POLLIN | POLLRDNORM : 0) |
	       (ring_room(&p->terminal.out) >= 2 ? POLLOUT | POLLWRNORM : 0);
}

static void slave_release(struct file *f)
{
	struct pty *p = f->object;
	if (atomic_fetch_sub(&p->n_slaves, 1) == 1)
		p->slave_gone = true;
	tell(p);
	pty_unref(p);
}

/* --- the master ------------------------------------------------------------------------------ */

static long master_take(struct pty *p, struct io_buffer *to)
{
	uint8_t chunk[CHUNK];
	size_t n = 0, done = 0;
	int err = 0;
	mutex_lock(&p->lock);
	if (p->packets && ring_used(&p->terminal.out)) {
		err = io_buffer_put(to, &(uint8_t){0}, 1); /* TIOCPKT_DATA */
		done = 1;
	}
	while (!err && to->left &&
		(n = ring_take(&p->terminal.out, chunk, min(to->left, (size_t)CHUNK)))) {
		err = io_buffer_put(to, chunk, n);
		done += n;
	}
	mutex_unlock(&p->lock);
	if (done)
		wait_wake(&p->slave_ready, EPOLLOUT | EPOLLWRNORM);
	return err < 0 ? err : (long)done;
}

static long master_read(struct file *f, struct io_buffer *to, uint64_t *offset)
{
	(void)offset;
	struct pty *p = f->object;
	if (!to->left)
		return 0;
	for (;;) {
		long n = master_take(p, to);
		if (n)
			return n;
		if (p->slave_gone && !p->n_slaves)
			return -EIO;
		if (file_nonblocking(f))
			return -EAGAIN;
		int err = wait_event_interruptible(&p->master_ready, EVENTS_ALL,
			ring_used(&p->terminal.out) || (p->slave_gone && !p->n_slaves),
			NO_DEADLINE);
		if (err < 0)
			return err;
	}
}

/* Type as much as fits. */
static int master_type(struct pty *p, struct io_buffer *from)
{
	bool fits = true;
	int err = 0;
	while (from->left && fits && !err) {
		struct io_buffer before = *from;
		uint8_t c;
		err = io_buffer_get(from, &c, 1);
		if (err < 0)
			break;
		mutex_lock(&p->lock);
		int signal = terminal_type(&p->terminal, c, &fits);
		mutex_unlock(&p->lock);
		if (!fits)
			*from = before;
		signal_from(p, signal);
	}
	return err;
}

static long master_write(struct file *f, struct io_buffer *from, uint64_t *offset)
{
	(void)offset;
	struct pty *p = f->object;
	size_t total = from->left;
	int err = 0;
	while (from->left && !err) {
		size_t before = from->left;
		err = master_type(p, from);
		wait_wake(&p->slave_ready, EPOLLIN | EPOLLRDNORM);
		if (ring_used(&p->terminal.out))
			wait_wake(&p->master_ready, EPOLLIN | EPOLLRDNORM);
		if (err || !from->left || from->left < before)
			continue;
		err = file_nonblocking(f) ? -EAGAIN
					  : wait_event_interruptible(&p->master_ready, EVENTS_ALL,
						    ring_room(&p->terminal.in) &&
							    ring_room(&p->terminal.out) >= 4,
						    NO_DEADLINE);
	}
	return from->left < total ? (long)(total - from->left) : err;
}

static unsigned master_poll(struct file *f)
{
	struct pty *p = f->object;
	bool hung = p->slave_gone && !p->n_slaves;
	return (ring_used(&p->terminal.out) ? POLLIN | POLLRDNORM : 0) | (hung ? POLLHUP : 0) |
	       (ring_room(&p->terminal.in) ? POLLOUT | POLLWRNORM : 0);
}

static void master_release(struct file *f)
{
	struct pty *p = f->object;
	p->master_open = false;
	tell(p);
	signal_from(p, SIGHUP);
	pty_unref(p);
}

/* --- settings -------------------------------------------------------------------------------- */

static int set_settings(struct pty *p, unsigned request, user_addr at)
{
	struct linux_termios new;
	if (copy_in(&new, at, sizeof(new)) < 0)
		return -EFAULT;
	mutex_lock(&p->lock);
	if (request == TCSETSF)
		terminal_flush_input(&p->terminal);
	terminal_set(&p->terminal, &new);
	mutex_unlock(&p->lock);
	tell(p);
	return 0;
}

static int set_window(struct pty *p, user_addr at)
{
	struct linux_winsize new;
	if (copy_in(&new, at, sizeof(new)) < 0)
		return -EFAULT;
	mutex_lock(&p->lock);
	bool same = !memcmp(&new, &p->terminal.window, sizeof(new));
	p->terminal.window = new;
	mutex_unlock(&p->lock);
	if (!same)
		signal_from(p, SIGWINCH);
	return 0;
}

static int flush(struct pty *p, unsigned long which)
{
	if (which > 2) /* TCIFLUSH, TCOFLUSH, TCIOFLUSH */
		return -EINVAL;
	mutex_lock(&p->lock);
	if (which != 1)
		terminal_flush_input(&p->terminal);
	if (which != 0)
		p->terminal.out.tail = p->terminal.out.head;
	mutex_unlock(&p->lock);
	tell(p);
	return 0;
}

static int control(struct pty *p, bool take)
{
	int err = 0;
	mutex_lock(&table.lock);
	if (take && table.controlling && table.controlling != p)
		err = -EPERM;
	else if (take)
		table.controlling = p;
	else if (table.controlling == p)
		table.controlling = NULL;
	else
		err = -ENOTTY;
	mutex_unlock(&table.lock);
	return err;
}

static int put_int(user_addr to, unsigned value)
{
	return copy_out(to, &value, sizeof(value));
}

static long both_ioctl(struct pty *p, unsigned request, unsigned long argument)
{
	user_addr at = user_at(argument);
	switch (request) {
	case TCGETS:
		return copy_out(at, &p->terminal.settings, sizeof(p->terminal.settings));
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_settings(p, request, at);
	case TIOCGWINSZ:
		return copy_out(at, &p->terminal.window, sizeof(p->terminal.window));
	case TIOCSWINSZ:
		return set_window(p, at);
	case TCFLSH:
		return flush(p, argument);
	case TCSBRK:
	case TCXONC:
		return 0;
	case TIOCSCTTY:
		return control(p, true);
	case TIOCNOTTY:
		return control(p, false);
	case TIOCSPGRP:
		return table.controlling == p ? 0 : -ENOTTY;
	case TIOCGPGRP:
	case TIOCGSID:
		return table.controlling == p ? put_int(at, 1) : -ENOTTY;
	}
	return -ENOTTY;
}

static long slave_ioctl(struct file *f, unsigned request, unsigned long argument)
{
	struct pty *p = f->object;
	if (!p->master_open)
		return -EIO;
	if (request == FIONREAD)
		return put_int(user_at(argument), terminal_readable(&p->terminal));
	if (request == TIOCOUTQ)
		return put_int(user_at(argument), 0); /* at once on the master's side */
	return both_ioctl(p, request, argument);
}

static int set_flag(atomic_bool *flag, user_addr from)
{
	int on;
	int err = copy_in(&on, from, sizeof(on));
	if (!err)
		*flag = on;
	return err;
}

static long open_peer(struct pty *p, unsigned long flags)
{
	struct file *f;
	int err = pty_open(p->number, (uint32_t)flags, &f);
	if (err < 0)
		return err;
	int fd = fd_install(f, 0, flags & O_CLOEXEC ? FD_CLOEXEC_FLAG : 0);
	if (fd < 0)
		file_put(f);
	return fd;
}

static long master_ioctl(struct file *f, unsigned request, unsigned long argument)
{
	struct pty *p = f->object;
	user_addr at = user_at(argument);
	switch (request) {
	case TIOCGPTN:
		return put_int(at, p->number);
	case TIOCSPTLCK:
		return set_flag(&p->locked, at);
	case TIOCGPTLCK:
		return put_int(at, p->locked);
	case TIOCPKT:
		return set_flag(&p->packets, at);
	case TIOCGPKT:
		return put_int(at, p->packets);
	case TIOCGPTPEER:
		return open_peer(p, argument);
	case FIONREAD:
		return put_int(at, ring_used(&p->terminal.out));
	}
	return both_ioctl(p, request, argument);
}

static const struct file_ops master_ops = {
	.kind = "tty",
	.read = master_read,
	.write = master_write,
	.poll = master_poll,
	.ioctl = master_ioctl,
	.release = master_release,
};

static const struct file_ops slave_ops = {
	.kind = "tty",
	.read = slave_read,
	.write = slave_write,
	.poll = slave_poll,
	.ioctl = slave_ioctl,
	.release = slave_release,
};

/* --- opening --------------------------------------------------------------------------------- */

/* Under table.lock: a free number, or -ENOSPC. */
static int pty_add(struct pty *p)
{
	for (unsigned n = 0; n < PTYS_MAX; n++)
		if (!table.ptys[n]) {
			p->number = n;
			table.ptys[n] = p;
			return 0;
		}
	return -ENOSPC;
}

int ptmx_open(uint32_t flags, struct file **out)
{
	struct pty *p = heap_zalloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	terminal_init(&p->terminal);
	wait_queue_init(&p->master_ready);
	wait_queue_init(&p->slave_ready);
	mutex_init(&p->lock);
	p->references = 1;
	p->master_open = p->locked = true;
	mutex_lock(&table.lock);
	int err = pty_add(p);
	mutex_unlock(&table.lock);
	if (err < 0) {
		heap_free(p);
		return err;
	}
	err = file_new(&master_ops, p, flags, out);
	if (err < 0)
		pty_unref(p);
	else
		(*out)->ready = &p->master_ready;
	return err;
}

/* The pty of that number, or the controlling one, with a reference for a file. */
static int pty_get(unsigned number, struct pty **out)
{
	int err = 0;
	mutex_lock(&table.lock);
	struct pty *p = number == PTY_CONTROLLING ? table.controlling
			: number < PTYS_MAX       ? table.ptys[number]
						  : NULL;
	if (!p)
		err = -ENXIO;
	else if (!p->master_open || (p->locked && number != PTY_CONTROLLING))
		err = -EIO;
	else
		p->references++;
	mutex_unlock(&table.lock);
	*out = p;
	return err;
}

int pty_open(unsigned number, uint32_t flags, struct file **out)
{
	struct pty *p;
	int err = pty_get(number, &p);
	if (err < 0)
		return err;
	err = file_new(&slave_ops, p, flags & ~(uint32_t)(O_NOCTTY | O_CLOEXEC), out);
	if (err < 0) {
		pty_unref(p);
		return err;
	}
	p->n_slaves++;
	p->slave_gone = false;
	(*out)->ready = &p->slave_ready;
	return 0;
}

/* --- /dev/pts -------------------------------------------------------------------------------- */

static bool pty_exists(unsigned n)
{
	mutex_lock(&table.lock);
	bool there = n < PTYS_MAX && table.ptys[n] && table.ptys[n]->master_open;
	mutex_unlock(&table.lock);
	return there;
}

static int pts_change(struct inode *i, const struct inode_change *change)
{
	inode_apply(i, change);
	return 0;
}

static const struct inode_ops pts_node_ops = {.change = pts_change};

/* Nodes are made when they are looked for, and belong to whoever does. */
static int pts_lookup(struct inode *dir, const struct name *name, struct inode **out)
{
	char text[8];
	const char *s = text;
	uint64_t n;
	if (name->len >= sizeof(text) || (name->len > 1 && name->text[0] == '0'))
		return -ENOENT;
	memcpy(text, name->text, name->len);
	text[name->len] = '\0';
	if (!string_parse_u64(&s, &n) || *s || !pty_exists((unsigned)min(n, (uint64_t)PTYS_MAX)))
		return -ENOENT;
	struct inode *i = inode_new(dir->super, n + 3);
	if (!i)
		return -ENOMEM;
	i->mode = S_IFCHR | 0620;
	i->gid = 5; /* tty */
	i->device = DEVICE_NUMBER(PTS_MAJOR, n);
	i->ops = &pts_node_ops;
	*out = i;
	return 0;
}

static int pts_list(struct inode *dir, uint64_t *position, struct directory_sink *sink)
{
	(void)dir;
	for (; *position < PTYS_MAX + 2; (*position)++) {
		char text[8];
		unsigned n = (unsigned)*position - 2;
		size_t len = (size_t)format(text, sizeof(text), "%u", n);
		if (pty_exists(n) && !sink->add(sink, text, len, n + 3, DT_CHR, *position + 1))
			break;
	}
	return 0;
}

static int pts_statfs(struct super *s, struct linux_statfs *out)
{
	(void)s;
	out->f_type = DEVPTS_SUPER_MAGIC;
	return 0;
}

static const struct inode_ops pts_root_ops = {.lookup = pts_lookup, .list = pts_list};
static const struct super_ops pts_super_ops = {.statfs = pts_statfs};
const struct filesystem devpts_filesystem = {.name = "devpts"};

int devpts_make(struct super **out)
{
	struct super *s = super_new(&devpts_filesystem, &pts_super_ops);
	struct inode *root = s ? inode_new(s, 1) : NULL;
	if (!root) {
		super_free(s);
		return -ENOMEM;
	}
	root->mode = S_IFDIR | 0755;
	root->n_links = 2;
	root->ops = &pts_root_ops;
	root->flags = INODE_UNCACHED;
	s->root = root;
	s->flags = SUPER_NO_EXEC | SUPER_NO_SET_ID;
	string_copy(s->source, "devpts", sizeof(s->source));
	*out = s;
	return 0;
}
