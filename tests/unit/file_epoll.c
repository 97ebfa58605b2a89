/* epoll: triggers, one-shots, exclusives, nests, and files that go away. */
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

static struct file *new_event(void)
{
	struct file *f;
	expect(eventfd_create(0, EFD_NONBLOCK, &f), 0);
	return f;
}

static struct file *new_epoll(void)
{
	struct file *f;
	expect(epoll_create_file(0, &f), 0);
	return f;
}

static void signal_event(struct file *f)
{
	uint64_t one = 1;
	expect(put(f, &one, 8), 8);
}

static void consume(struct file *f)
{
	uint64_t n;
	expect(take(f, &n, 8), 8);
}

static long look(struct file *e, struct linux_epoll_event *out, unsigned n)
{
	return epoll_wait_events(e, out, n, 0);
}

static void triggers(void)
{
	struct linux_epoll_event out[8];
	struct file *e = new_epoll(), *f = new_event();
	expect(epoll_control(e, EPOLL_CTL_ADD, 5, f, EPOLLIN, 55), 0);
	expect(epoll_control(e, EPOLL_CTL_ADD, 5, f, EPOLLIN, 55), -EEXIST);
	expect(epoll_control(e, EPOLL_CTL_MOD, 6, f, EPOLLIN, 55), -ENOENT);
	expect(epoll_control(e, 9, 5, f, EPOLLIN, 55), -EINVAL);
	expect(epoll_control(e, EPOLL_CTL_ADD, 5, e, EPOLLIN, 55), -EINVAL);
	expect(epoll_control(f, EPOLL_CTL_ADD, 5, e, EPOLLIN, 55), -EINVAL);
	struct file *d = directory("/");
	expect(epoll_control(e, EPOLL_CTL_ADD, 7, d, EPOLLIN, 0), -EPERM);
	file_put(d);
	expect(look(e, out, 8), 0);
	/* Level: again and again until consumed. */
	signal_event(f);
	for (int n = 0; n < 3; n++) {
		expect(look(e, out, 8), 1);
		expect(out[0].events == EPOLLIN && out[0].data == 55, 1);
	}
	consume(f);
	expect(look(e, out, 8), 0);
	/* Edge: once per announcement. */
	expect(epoll_control(e, EPOLL_CTL_MOD, 5, f, EPOLLIN | EPOLLET, 56), 0);
	signal_event(f);
	expect(look(e, out, 8), 1);
	expect(out[0].data, 56);
	expect(look(e, out, 8), 0);
	signal_event(f);
	expect(look(e, out, 8), 1);
	expect(look(e, out, 8), 0);
	/* One shot: until it is armed again, which looks at what holds. */
	expect(epoll_control(e, EPOLL_CTL_MOD, 5, f, EPOLLIN | EPOLLONESHOT, 57), 0);
	expect(look(e, out, 8), 1);
	signal_event(f);
	expect(look(e, out, 8), 0);
	expect(epoll_control(e, EPOLL_CTL_MOD, 5, f, EPOLLOUT | EPOLLIN, 58), 0);
	expect(look(e, out, 8), 1);
	expect(out[0].events, EPOLLIN | EPOLLOUT);
	/* The same file under another descriptor. */
	expect(epoll_control(e, EPOLL_CTL_ADD, 8, f, EPOLLIN, 88), 0);
	expect(look(e, out, 8), 2);
	expect(look(e, out, 1), 1);
	expect(epoll_control(e, EPOLL_CTL_DEL, 5, f, 0, 0), 0);
	expect(look(e, out, 8), 1);
	expect(out[0].data, 88);
	/* The file's end takes its interests along. */
	file_put(f);
	expect(look(e, out, 8), 0);
	file_put(e);
}

static void takes_turns(void)
{
	struct linux_epoll_event out[8];
	struct file *e = new_epoll(), *f[4];
	for (int n = 0; n < 4; n++) {
		f[n] = new_event();
		expect(epoll_control(e, EPOLL_CTL_ADD, n, f[n], EPOLLIN, (uint64_t)n), 0);
		signal_event(f[n]);
	}
	unsigned seen = 0;
	for (int n = 0; n < 4; n++) { /* none is starved */
		expect(look(e, out, 1), 1);
		seen |= 1u << out[0].data;
	}
	expect(seen, 15);
	file_put(e); /* before its files */
	for (int n = 0; n < 4; n++)
		file_put(f[n]);
}

struct waiting {
	struct file *epoll;
	uint64_t deadline;
	long result;
	bool done;
	struct linux_epoll_event out[4];
};

static void do_wait(void *arg)
{
	struct waiting *w = arg;
	w->result = epoll_wait_events(w->epoll, w->out, 4, w->deadline);
	w->done = true;
	thread_exit();
}

static void waits(void)
{
	struct file *e = new_epoll(), *f = new_event();
	expect(epoll_control(e, EPOLL_CTL_ADD, 1, f, EPOLLIN | EPOLLET, 1), 0);
	struct waiting w[3] = {{.epoll = e, .deadline = NO_DEADLINE}};
	w[1] = w[2] = w[0];
	for (int n = 0; n < 3; n++)
		start(do_wait, &w[n]);
	let_run();
	expect(w[0].done + w[1].done + w[2].done, 0);
	signal_event(f);
	let_run();
	expect(w[0].done + w[1].done + w[2].done, 1); /* one event, one thread */
	signal_event(f);
	let_run();
	expect(w[0].done + w[1].done + w[2].done, 2);
	/* Added while somebody waits, and ready at once. */
	struct file *g = new_event();
	signal_event(g);
	expect(epoll_control(e, EPOLL_CTL_ADD, 2, g, EPOLLIN, 2), 0);
	let_run();
	expect(w[0].done + w[1].done + w[2].done, 3);
	file_put(g);
	uint64_t now = clock_monotonic_ns();
	struct linux_epoll_event out[1];
	expect(epoll_wait_events(e, out, 1, now + 3000000), 0);
	assert(clock_monotonic_ns() >= now + 3000000);
	file_put(f);
	file_put(e);
}

static void exclusive(void)
{
	struct file *f = new_event(), *e[2];
	struct waiting w[2];
	for (int n = 0; n < 2; n++) {
		e[n] = new_epoll();
		expect(epoll_control(e[n], EPOLL_CTL_ADD, 1, f, EPOLLIN | EPOLLEXCLUSIVE, 1), 0);
		w[n] = (struct waiting){.epoll = e[n], .deadline = NO_DEADLINE};
		start(do_wait, &w[n]);
	}
	expect(epoll_control(e[0], EPOLL_CTL_MOD, 1, f, EPOLLIN, 1), -EINVAL);
	expect(epoll_control(e[0], EPOLL_CTL_ADD, 2, f, EPOLLEXCLUSIVE | EPOLLONESHOT, 1), -EINVAL);
	let_run();
	signal_event(f);
	let_run();
	expect(w[0].done + w[1].done, 1);
	signal_event(f);
	let_run();
	expect(w[0].done + w[1].done, 2);
	file_put(f);
	file_put(e[0]);
	file_put(e[1]);
}

static void nested(void)
{
	struct linux_epoll_event out[4];
	struct file *e[7], *f = new_event();
	for (int n = 0; n < 7; n++)
		e[n] = new_epoll();
	for (int n = 0; n < 4; n++)
		expect(epoll_control(e[n], EPOLL_CTL_ADD, n, e[n + 1], EPOLLIN, (uint64_t)n), 0);
	expect(epoll_control(e[4], EPOLL_CTL_ADD, 1, e[0], EPOLLIN, 0), -ELOOP);
	expect(epoll_control(e[4], EPOLL_CTL_ADD, 1, e[5], EPOLLIN, 0), -ELOOP);
	expect(epoll_control(e[5], EPOLL_CTL_ADD, 1, e[0], EPOLLIN, 0), -ELOOP);
	expect(epoll_control(e[5], EPOLL_CTL_ADD, 1, e[1], EPOLLIN, 0), 0);
	expect(epoll_control(e[4], EPOLL_CTL_ADD, 9, f, EPOLLIN, 9), 0);
	expect(look(e[0], out, 4), 0);
	expect(file_poll(e[0]), 0);
	signal_event(f);
	expect(file_poll(e[0]), POLLIN | POLLRDNORM);
	expect(look(e[0], out, 4), 1);
	expect(look(e[4], out, 4), 1);
	expect(out[0].data, 9);
	consume(f);
	expect(look(e[0], out, 4), 0);
	expect(file_poll(e[0]), 0);
	struct waiting w = {.epoll = e[0], .deadline = NO_DEADLINE};
	start(do_wait, &w);
	let_run();
	signal_event(f);
	let_run();
	expect(w.result, 1);
	for (int n = 0; n < 7; n++)
		file_put(e[n]);
	file_put(f);
}

static void run(void *arg)
{
	(void)arg;
	vfs_start(NULL);
	triggers();
	takes_turns();
	waits();
	exclusive();
	nested();
}

int main(void)
{
	host_run(run, NULL);
	puts("ok");
	return 0;
}
