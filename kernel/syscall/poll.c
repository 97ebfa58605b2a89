/* poll(2), select(2), epoll(7): sets of descriptors in, events out. */
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/resource.h"
#include "kernel/arch/timer.h"
#include "kernel/file/fd_table.h"
#include "kernel/file/kinds.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/proc/signal.h"
#include "kernel/syscall/user.h"

struct pollfd {
	int32_t fd;
	int16_t events, revents;
};

#define POLL_ALWAYS (POLLERR | POLLHUP | POLLNVAL)

/* A time span of milliseconds, negative for ever. */
static uint64_t span_of_ms(int ms)
{
	return ms < 0 ? NO_DEADLINE : (uint64_t)ms * NS_PER_MS;
}

static uint64_t deadline_of_span(uint64_t span_ns)
{
	return span_ns == NO_DEADLINE || span_ns == 0 ? span_ns : deadline_begin(span_ns);
}

static long end_of_span(uint64_t span_ns, long result)
{
	return span_ns == NO_DEADLINE ? result : deadline_end(result);
}

/* --- poll(2) --- */

struct poll_set {
	struct pollfd *fds;
	struct poll_entry *entries;
	unsigned n;
	struct pollfd small_fds[8];
	struct poll_entry small_entries[8];
};

static int poll_set_get(struct poll_set *s, user_addr from, unsigned n)
{
	s->n = n;
	s->fds = s->small_fds;
	s->entries = s->small_entries;
	if (n > process_limit(RLIMIT_NOFILE))
		return -EINVAL;
	if (n > array_size(s->small_fds)) {
		s->fds = heap_array(n, sizeof(*s->fds));
		s->entries = heap_array(n, sizeof(*s->entries));
	}
	int err = s->fds && s->entries ? copy_in(s->fds, from, n * sizeof(*s->fds)) : -ENOMEM;
	for (unsigned i = 0; err == 0 && i < n; i++) {
		struct poll_entry *e = &s->entries[i];
		*e = (struct poll_entry){.events = (uint16_t)s->fds[i].events | POLLERR | POLLHUP};
		if (s->fds[i].fd >= 0 && fd_get(s->fds[i].fd, &e->file) < 0)
			e->file = NULL;
	}
	return err;
}

static void poll_set_put(struct poll_set *s, bool with_files)
{
	for (unsigned i = 0; with_files && i < s->n; i++)
		if (s->entries[i].file)
			file_put(s->entries[i].file);
	if (s->fds != s->small_fds) {
		heap_free(s->fds);
		heap_free(s->entries);
	}
}

/* Descriptors that are not open have their event at once. */
static bool has_invalid(const struct poll_set *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->fds[i].fd >= 0 && !s->entries[i].file)
			return true;
	return false;
}

static long poll_set_results(struct poll_set *s, user_addr to)
{
	long n = 0;
	for (unsigned i = 0; i < s->n; i++) {
		const struct poll_entry *e = &s->entries[i];
		bool invalid = s->fds[i].fd >= 0 && !e->file;
		s->fds[i].revents = invalid ? POLLNVAL : (int16_t)e->revents;
		n += s->fds[i].revents != 0;
	}
	/* Only revents may change: other threads may be rewriting the rest. */
	for (unsigned i = 0; i < s->n; i++) {
		user_addr at = user_offset(
			to, i * sizeof(struct pollfd) + offsetof(struct pollfd, revents));
		if (copy_out(at, &s->fds[i].revents, sizeof(int16_t)) < 0)
			return -EFAULT;
	}
	return n;
}

static long do_poll(user_addr fds, unsigned n, uint64_t span_ns)
{
	struct poll_set s;
	long result = poll_set_get(&s, fds, n);
	bool got = result == 0;
	if (got) {
		uint64_t deadline_ns = has_invalid(&s) ? 0 : deadline_of_span(span_ns);
		result = poll_files(s.entries, n, deadline_ns);
		if (result >= 0)
			result = poll_set_results(&s, fds);
		result = end_of_span(span_ns, result);
	}
	poll_set_put(&s, got);
	return result;
}

long sys_poll(const struct syscall_args *args)
{
	return do_poll(arg_user(args, 0), arg_uint(args, 1), span_of_ms(arg_int(args, 2)));
}

/* A timespec or NULL as a span. */
static int get_span(user_addr from, uint64_t *span_ns)
{
	*span_ns = NO_DEADLINE;
	return from.va ? user_timespec(from, span_ns) : 0;
}

/* For the wait's duration only. */
static int put_on_mask(user_addr mask_at, size_t size)
{
	uint64_t mask;
	if (!mask_at.va)
		return 0;
	int err = user_sigset(mask_at, size, &mask);
	if (err == 0)
		signal_set_temporary_mask(mask);
	return err;
}

/* ppoll and pselect6 on Linux say how much of the time was left. */
static void put_time_left(user_addr to, uint64_t span_ns, uint64_t started_ns)
{
	uint64_t passed_ns = clock_monotonic_ns() - started_ns;
	if (to.va && span_ns != NO_DEADLINE)
		(void)!user_put_timespec(to, span_ns > passed_ns ? span_ns - passed_ns : 0);
}

long sys_ppoll(const struct syscall_args *args)
{
	uint64_t span_ns, started_ns = clock_monotonic_ns();
	int err = get_span(arg_user(args, 2), &span_ns);
	if (err == 0)
		err = put_on_mask(arg_user(args, 3), args->a[4]);
	if (err < 0)
		return err;
	long result = do_poll(arg_user(args, 0), arg_uint(args, 1), span_ns);
	signal_end_temporary_mask(result);
	if (result != -EINTR)
		put_time_left(arg_user(args, 2), span_ns, started_ns);
	return result;
}

/* --- select(2) --- */

#define SET_BITS 64u
#define SELECT_MAX 65536u

enum { SET_READ, SET_WRITE, SET_EXCEPT, SETS };

static const struct {
	unsigned asked, given; /* events that put a descriptor into the set */
} select_events[SETS] = {
	[SET_READ] = {POLLIN | POLLRDNORM | POLLRDHUP,
		POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR},
	[SET_WRITE] = {POLLOUT | POLLWRNORM, POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR},
	[SET_EXCEPT] = {POLLPRI, POLLPRI},
};

struct select_call {
	unsigned n, n_words, n_entries;
	user_addr at[SETS];
	uint64_t *words; /* SETS * n_words: asked, then answered */
	struct poll_entry *entries;
	int *fds;
};

static bool in_set(const struct select_call *c, unsigned set, unsigned fd)
{
	return c->words[set * c->n_words + fd / SET_BITS] >> fd % SET_BITS & 1;
}

static int select_get_sets(struct select_call *c)
{
	for (unsigned set = 0; set < SETS; set++)
		if (c->at[set].va && copy_in(c->words + set * c->n_words, c->at[set],
					     c->n_words * sizeof(uint64_t)) < 0)
			return -EFAULT;
	return 0;
}

static unsigned select_asked(const struct select_call *c, unsigned fd)
{
	unsigned events = 0;
	for (unsigned set = 0; set < SETS; set++)
		if (in_set(c, set, fd))
			events |= select_events[set].asked;
	return events;
}

/* Files of all descriptors in any set; -EBADF when one is not open. */
static int select_get_files(struct select_call *c)
{
	for (unsigned fd = 0; fd < c->n; fd++) {
		unsigned events = select_asked(c, fd);
		if (!events)
			continue;
		struct poll_entry *e = &c->entries[c->n_entries];
		int err = fd_get((int)fd, &e->file);
		if (err < 0)
			return err;
		e->events = events | POLLERR | POLLHUP;
		c->fds[c->n_entries++] = (int)fd;
	}
	return 0;
}

static long select_put_sets(struct select_call *c)
{
	long n = 0;
	uint64_t *asked = c->words, *answered = c->words + SETS * c->n_words;
	for (unsigned i = 0; i < c->n_entries; i++) {
		unsigned fd = (unsigned)c->fds[i];
		for (unsigned set = 0; set < SETS; set++) {
			unsigned word = set * c->n_words + fd / SET_BITS;
			uint64_t bit = 1ull << fd % SET_BITS;
			if (!(asked[word] & bit) ||
				!(c->entries[i].revents & select_events[set].given))
				continue;
			answered[word] |= bit;
			n++;
		}
	}
	for (unsigned set = 0; set < SETS; set++)
		if (c->at[set].va && copy_out(c->at[set], answered + set * c->n_words,
					     c->n_words * sizeof(uint64_t)) < 0)
			return -EFAULT;
	return n;
}

static long select_wait(struct select_call *c, uint64_t span_ns)
{
	long result = select_get_sets(c);
	if (result == 0)
		result = select_get_files(c);
	if (result == 0) {
		result = poll_files(c->entries, c->n_entries, deadline_of_span(span_ns));
		if (result >= 0)
			result = select_put_sets(c);
		result = end_of_span(span_ns, result);
	}
	for (unsigned i = 0; i < c->n_entries; i++)
		file_put(c->entries[i].file);
	return result;
}

static long do_select(const struct syscall_args *args, uint64_t span_ns)
{
	int n = arg_int(args, 0);
	if (n < 0)
		return -EINVAL;
	struct select_call c = {
		.n = min((unsigned)n, SELECT_MAX),
		.at = {arg_user(args, 1), arg_user(args, 2), arg_user(args, 3)},
	};
	c.n_words = div_round_up(c.n, SET_BITS);
	c.words = heap_array(max(2 * SETS * c.n_words, 1u), sizeof(uint64_t));
	c.entries = heap_array(max(c.n, 1u), sizeof(struct poll_entry));
	c.fds = heap_array(max(c.n, 1u), sizeof(int));
	long result = c.words && c.entries && c.fds ? select_wait(&c, span_ns) : -ENOMEM;
	heap_free(c.words);
	heap_free(c.entries);
	heap_free(c.fds);
	return result;
}

long sys_select(const struct syscall_args *args)
{
	uint64_t span_ns = NO_DEADLINE, started_ns = clock_monotonic_ns();
	struct linux_timeval t;
	if (args->a[4]) {
		if (copy_in(&t, arg_user(args, 4), sizeof(t)) < 0)
			return -EFAULT;
		/* select(2) takes any number of microseconds. */
		if (t.tv_sec < 0 || t.tv_usec < 0)
			return -EINVAL;
		t.tv_sec += t.tv_usec / 1000000;
		t.tv_usec %= 1000000;
		int err = timeval_to_ns(&t, &span_ns);
		if (err < 0)
			return err;
	}
	long result = do_select(args, span_ns);
	if (args->a[4] && result != -EINTR) {
		uint64_t passed_ns = clock_monotonic_ns() - started_ns;
		t = timeval_of(span_ns > passed_ns ? span_ns - passed_ns : 0);
		(void)!copy_out(arg_user(args, 4), &t, sizeof(t));
	}
	return result;
}

long sys_pselect6(const struct syscall_args *args)
{
	uint64_t span_ns, started_ns = clock_monotonic_ns();
	struct {
		uint64_t mask, size;
	} packed_mask = {0, 0};
	int err = get_span(arg_user(args, 4), &span_ns);
	if (err == 0 && args->a[5])
		err = copy_in(&packed_mask, arg_user(args, 5), sizeof(packed_mask));
	if (err == 0)
		err = put_on_mask(user_at(packed_mask.mask), packed_mask.size);
	if (err < 0)
		return err;
	long result = do_select(args, span_ns);
	signal_end_temporary_mask(result);
	if (result != -EINTR)
		put_time_left(arg_user(args, 4), span_ns, started_ns);
	return result;
}

/* --- epoll(7) --- */

static long make_epoll(unsigned flags)
{
	struct file *f;
	if (flags & ~O_CLOEXEC)
		return -EINVAL;
	int err = epoll_create_file(0, &f);
	return err < 0 ? err : install(f, flags);
}

long sys_epoll_create(const struct syscall_args *args)
{
	return arg_int(args, 0) <= 0 ? -EINVAL : make_epoll(0);
}

long sys_epoll_create1(const struct syscall_args *args)
{
	return make_epoll(arg_uint(args, 0));
}

long sys_epoll_ctl(const struct syscall_args *args)
{
	struct linux_epoll_event event = {0, 0};
	struct file *epoll, *target;
	int operation = arg_int(args, 1), fd = arg_int(args, 2);
	if (operation != EPOLL_CTL_DEL && copy_in(&event, arg_user(args, 3), sizeof(event)) < 0)
		return -EFAULT;
	int err = fd_get(arg_int(args, 0), &epoll);
	if (err < 0)
		return err;
	err = fd_get(fd, &target);
	if (err == 0) {
		err = epoll_control(epoll, operation, fd, target, event.events, event.data);
		file_put(target);
	}
	file_put(epoll);
	return err;
}

#define EVENTS_AT_ONCE 128u

static long do_epoll_wait(const struct syscall_args *args, uint64_t span_ns)
{
	struct linux_epoll_event events[EVENTS_AT_ONCE];
	struct file *epoll;
	int n = arg_int(args, 2);
	if (n <= 0 || (unsigned)n > INT32_MAX / sizeof(events[0]))
		return -EINVAL;
	int err = fd_get(arg_int(args, 0), &epoll);
	if (err < 0)
		return err;
	/* What does not fit stays ready for the next call. */
	long got = epoll_wait_events(
		epoll, events, min((unsigned)n, EVENTS_AT_ONCE), deadline_of_span(span_ns));
	if (got > 0 && copy_out(arg_user(args, 1), events, (size_t)got * sizeof(events[0])) < 0)
		got = -EFAULT;
	file_put(epoll);
	return end_of_span(span_ns, got);
}

long sys_epoll_wait(const struct syscall_args *args)
{
	return do_epoll_wait(args, span_of_ms(arg_int(args, 3)));
}

static long epoll_wait_masked(const struct syscall_args *args, uint64_t span_ns)
{
	int err = put_on_mask(arg_user(args, 4), args->a[5]);
	if (err < 0)
		return err;
	long result = do_epoll_wait(args, span_ns);
	signal_end_temporary_mask(result);
	return result;
}

long sys_epoll_pwait(const struct syscall_args *args)
{
	return epoll_wait_masked(args, span_of_ms(arg_int(args, 3)));
}

long sys_epoll_pwait2(const struct syscall_args *args)
{
	uint64_t span_ns;
	int err = get_span(arg_user(args, 3), &span_ns);
	return err < 0 ? err : epoll_wait_masked(args, span_ns);
}
