/* Pipes, eventfd, timerfd, poll and the descriptor table, with threads that wait. */
#include "abi/linux/ioctl.h"
#include "tests/unit/vfs_calls.h"

static struct thread *start(void (*entry)(void *), void *arg)
{
	struct thread *t;
	struct thread_request r = {
		.size = sizeof(struct thread), .name = "test", .entry = entry, .arg = arg};
	expect(thread_create(&r, &t), 0);
	thread_start(t);
	return t;
}

static void let_run(void)
{
	for (int n = 0; n < 10; n++)
		thread_yield();
}

/* One call in a thread of its own. */
struct call {
	struct file *file;
	char *buf;
	size_t n;
	long result;
	bool done;
};

static void do_read(void *arg)
{
	struct call *c = arg;
	c->result = take(c->file, c->buf, c->n);
	c->done = true;
	thread_exit();
}

static void do_write(void *arg)
{
	struct call *c = arg;
	c->result = put(c->file, c->buf, c->n);
	c->done = true;
	thread_exit();
}

static char big[200000], back[200000];

static void pipes(void)
{
	struct file *r, *w;
	expect(pipe_create(O_DIRECT, &r, &w), 0);
	expect(put(w, "one", 3), 3);
	expect(put(w, "two", 3), 3);
	expect(take(r, back, 100), 3);
	file_put(r);
	file_put(w);
	expect(pipe_create(0, &r, &w), 0);
	expect(r->flags * 10 + w->flags, 1);
	expect(file_poll(r), 0);
	expect(file_poll(w), POLLOUT | POLLWRNORM);
	expect(put(w, "hello", 5), 5);
	expect(put(r, "hello", 5), -EBADF);
	expect(take(w, back, 5), -EBADF);
	expect(take_at(r, back, 5, 0), -ESPIPE);
	expect(file_poll(r), POLLIN | POLLRDNORM);
	expect(take(r, back, 3), 3);
	expect(take(r, back, 100), 2);
	struct call c = {.file = r, .buf = back, .n = 100};
	start(do_read, &c);
	let_run();
	expect(c.done, 0);
	expect(put(w, "later", 5), 5);
	let_run();
	expect(c.result, 5);
	/* A writer of much, a reader of little. */
	for (size_t n = 0; n < sizeof(big); n++)
		big[n] = (char)(n * 3 + n / 999);
	c = (struct call){.file = w, .buf = big, .n = sizeof(big)};
	start(do_write, &c);
	let_run();
	expect(c.done, 0);
	expect(file_poll(w), 0);
	size_t got = 0;
	while (got < sizeof(big)) {
		long n = take(r, back + got, 1777);
		assert(n > 0);
		got += (size_t)n;
	}
	let_run();
	expect(c.result, sizeof(big));
	expect(memcmp(big, back, sizeof(big)), 0);
	/* Ends. */
	expect(put(w, "x", 1), 1);
	file_put(w);
	expect(file_poll(r), POLLIN | POLLRDNORM | POLLHUP);
	expect(take(r, back, 10), 1);
	expect(take(r, back, 10), 0);
	file_put(r);
	expect(pipe_create(O_NONBLOCK, &r, &w), 0);
	expect(take(r, back, 10), -EAGAIN);
	file_put(r);
	expect(put(w, "x", 1), -EPIPE);
	expect(file_poll(w), POLLOUT | POLLWRNORM | POLLERR);
	file_put(w);
}

static void pipe_limits(void)
{
	struct file *r, *w;
	expect(pipe_create(O_NONBLOCK, &r, &w), 0);
	expect(pipe_size(r), 65536);
	expect(put(w, big, 65000), 65000);
	/* At most PIPE_BUF bytes go whole or not at all, more go as far as there is room. */
	expect(put(w, big, 4096), -EAGAIN);
	expect(put(w, big, 536), 536);
	expect(take(r, back, 1000), 1000);
	expect(put(w, big, 5000), -EAGAIN); /* room is counted in pages, as on Linux */
	expect(pipe_set_size(w, 4096), -EBUSY);
	expect(take(r, back, 63000), 63000);
	expect(pipe_set_size(w, 5000), 8192);
	expect(take(r, back, 10000), 1536);
	expect(pipe_set_size(w, 1u << 20), 1 << 20);
	expect(put(w, big, 200000), 200000);
	expect(pipe_set_size(w, (1u << 20) + 1), -EPERM);
	expect(take(r, back, 200000), 200000);
	expect(memcmp(big, back, sizeof(big)), 0);
	file_put(r);
	file_put(w);
}

static void open_reader(void *arg)
{
	struct call *c = arg;
	c->result = open_at("/fifo", O_RDONLY, 0, &c->file);
	c->done = true;
	thread_exit();
}

static void fifos(void)
{
	expect(vfs_mknod(NULL, "/fifo", S_IFIFO | 0644, 0), 0);
	expect(try_open("/fifo", O_WRONLY | O_NONBLOCK), -ENXIO);
	struct call c = {0};
	start(open_reader, &c);
	let_run();
	expect(c.done, 0);
	struct file *w = opened("/fifo", O_WRONLY);
	let_run();
	expect(c.done, 1);
	expect(put(w, "abc", 3), 3);
	expect(take(c.file, back, 10), 3);
	struct linux_stat st;
	expect(vfs_stat_file(w, &st), 0);
	expect(st.st_mode, S_IFIFO | 0644);
	file_put(w);
	expect(take(c.file, back, 10), 0);
	expect(file_poll(c.file), POLLHUP);
	struct file *r = opened("/fifo", O_RDONLY | O_NONBLOCK);
	expect(file_poll(r), 0); /* nobody wrote since */
	file_put(r);
	file_put(c.file);
	expect(vfs_unlink(NULL, "/fifo"), 0);
}

static void eventfds(void)
{
	struct file *f;
	uint64_t v = 0;
	expect(eventfd_create(3, EFD_NONBLOCK | EFD_SEMAPHORE, &f), 0);
	expect(take(f, &v, 4), -EINVAL);
	expect(take(f, &v, 8), 8);
	expect(v, 1);
	v = 5;
	expect(put(f, &v, 8), 8);
	for (int n = 0; n < 7; n++)
		expect(take(f, &v, 8), 8);
	expect(take(f, &v, 8), -EAGAIN);
	expect(file_poll(f), POLLOUT | POLLWRNORM);
	file_put(f);
	expect(eventfd_create(0, 0, &f), 0);
	v = UINT64_MAX;
	expect(put(f, &v, 8), -EINVAL);
	v = UINT64_MAX - 1;
	expect(put(f, &v, 8), 8);
	expect(file_poll(f), POLLIN | POLLRDNORM);
	uint64_t one = 1;
	struct call c = {.file = f, .buf = (char *)&one, .n = 8};
	start(do_write, &c);
	let_run();
	expect(c.done, 0);
	expect(take(f, &v, 8), 8);
	expect(v == UINT64_MAX - 1, 1);
	let_run();
	expect(c.result, 8);
	expect(take(f, &v, 8), 8);
	expect(v, 1);
	file_put(f);
}

static void timerfds(void)
{
	struct file *f;
	uint64_t n = 0;
	expect(timerfd_create(99, 0, &f), -EINVAL);
	expect(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK, &f), 0);
	struct linux_itimerspec_ns t = {.value_ns = 1000000, .interval_ns = 500000}, old;
	expect(take(f, &n, 8), -EAGAIN);
	expect(timerfd_set(f, 0, &t, NULL), 0);
	host_advance(900000);
	expect(take(f, &n, 8), -EAGAIN);
	expect(timerfd_get(f, &old), 0);
	assert(old.value_ns <= 100000 && old.interval_ns == 500000);
	host_advance(200000);
	expect(file_poll(f), POLLIN | POLLRDNORM);
	expect(take(f, &n, 8), 8);
	expect(n, 1);
	host_advance(5000000);
	expect(take(f, &n, 8), 8);
	assert(n >= 9 && n <= 11);
	t = (struct linux_itimerspec_ns){0};
	expect(timerfd_set(f, 0, &t, &old), 0);
	expect(old.interval_ns, 500000);
	host_advance(5000000);
	expect(take(f, &n, 8), -EAGAIN);
	/* Already past: at once. */
	t.value_ns = 1;
	expect(timerfd_set(f, TFD_TIMER_ABSTIME, &t, NULL), 0);
	host_advance(1000);
	expect(take(f, &n, 8), 8);
	expect(n, 1);
	file_put(f);
}

struct polling {
	struct poll_entry entries[20];
	unsigned n;
	uint64_t deadline;
	long result;
	bool done;
};

static void do_poll(void *arg)
{
	struct polling *p = arg;
	p->result = poll_files(p->entries, p->n, p->deadline);
	p->done = true;
	thread_exit();
}

static void polls(void)
{
	struct file *r, *w;
	expect(pipe_create(0, &r, &w), 0);
	struct poll_entry e[3] = {{r, POLLIN, 0}, {NULL, POLLIN, 0}, {w, POLLOUT, 0}};
	expect(poll_files(e, 3, 0), 1);
	expect(e[2].revents, POLLOUT);
	expect(poll_files(e, 2, 0), 0);
	for (unsigned n = 1; n <= 20; n += 19) { /* on the stack, on the heap */
		struct polling p = {.n = n, .deadline = NO_DEADLINE};
		for (unsigned k = 0; k < n; k++)
			p.entries[k] = (struct poll_entry){r, POLLIN, 0};
		start(do_poll, &p);
		let_run();
		expect(p.done, 0);
		expect(put(w, "x", 1), 1);
		let_run();
		expect(p.result, n);
		expect(take(r, back, 1), 1);
	}
	uint64_t now = clock_monotonic_ns();
	expect(poll_files(e, 1, now + 5000000), 0);
	assert(clock_monotonic_ns() >= now + 5000000);
	file_put(w);
	expect(poll_files(e, 1, NO_DEADLINE), 1);
	expect(e[0].revents, POLLHUP);
	file_put(r);
}

static void descriptors(void)
{
	struct file *f, *g;
	expect(eventfd_create(0, 0, &f), 0);
	expect(fd_get(0, &g), -EBADF);
	expect(fd_get(-1, &g), -EBADF);
	for (int n = 0; n < 300; n++) {
		file_get(f);
		expect(fd_install(f, 0, n % 2 ? FD_CLOEXEC_FLAG : 0), n);
	}
	expect(f->references, 301);
	expect(fd_get(299, &g), 0);
	expect(g == f, 1);
	file_put(g);
	expect(fd_close(7), 0);
	expect(fd_close(7), -EBADF);
	expect(fd_close(100), 0);
	expect(fd_next(7), 8);
	expect(fd_next(300), -1);
	file_get(f);
	expect(fd_install(f, 50, 0), 100);
	file_get(f);
	expect(fd_install(f, 0, 0), 7);
	file_get(f);
	expect(fd_install(f, 0, 0), 300);
	expect(fd_flags(5), FD_CLOEXEC_FLAG);
	expect(fd_set_flags(5, 0), 0);
	expect(fd_flags(5), 0);
	file_get(f);
	expect(fd_install_at(f, 1000, FD_CLOEXEC_FLAG), 1000);
	expect(fd_install_at(f, 1024, 0), -EBADF);
	expect(fd_install(f, 1024, 0), -EINVAL);
	expect(fd_close_range(10, 299, 0), 0);
	expect(fd_next(10), 300);
	expect(fd_close_range(300, UINT32_MAX, FD_CLOEXEC_FLAG), 0);
	expect(fd_flags(300), FD_CLOEXEC_FLAG);
	fd_close_on_exec();
	expect(fd_next(8), 8);
	expect(fd_next(9), -1);
	fd_table_set_limit(4);
	expect(fd_install(f, 0, 0), 1);
	fd_close_all();
	expect(fd_next(0), -1);
}

static void run(void *arg)
{
	(void)arg;
	vfs_start(NULL);
	pipes();
	pipe_limits();
	fifos();
	eventfds();
	timerfds();
	polls();
	descriptors();
}

int main(void)
{
	host_run(run, NULL);
	puts("ok");
	return 0;
}
