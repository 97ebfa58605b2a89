/* Kernel AIO as libaio uses it: submit, events, the ring in user memory, vectors, sync, poll, eventfd, cancel, errors. */
/* test: cpus=2 */
#include "lib/check.h"
#include <linux/aio_abi.h>
#include <sys/eventfd.h>

static long submit(aio_context_t c, struct iocb *b)
{
	struct iocb *list[1] = {b};
	return syscall(SYS_io_submit, c, 1l, list);
}

static struct iocb prepare(
	unsigned op, int fd, const void *buf, size_t n, long offset, uint64_t data)
{
	return (struct iocb){.aio_lio_opcode = (uint16_t)op,
		.aio_fildes = (uint32_t)fd,
		.aio_buf = (uintptr_t)buf,
		.aio_nbytes = n,
		.aio_offset = offset,
		.aio_data = data};
}

static void show_event(aio_context_t c)
{
	struct io_event e = {0};
	long n = syscall(SYS_io_getevents, c, 1l, 1l, &e, NULL);
	printf("  events %ld: %llu, %lld %lld\n", n, e.data, e.res, e.res2);
}

struct ring {
	unsigned id, nr, head, tail, magic;
};

int main(void)
{
	aio_context_t c = 0, other = 1;
	char buf[64] = "", second[64] = "";
	show(syscall(SYS_io_setup, 0, &c));
	show(syscall(SYS_io_setup, 8, NULL));
	show(syscall(SYS_io_setup, 8, &other));
	show(syscall(SYS_io_setup, 8, &c));
	struct ring *r = (void *)c;
	is(r->magic == 0xa10a10a1 && r->nr >= 8);
	int fd = (int)must(open("/tmp/aio", O_RDWR | O_CREAT | O_TRUNC, 0600));
	struct iocb b = prepare(IOCB_CMD_PWRITE, fd, "hello world", 11, 0, 1);
	show(submit(c, &b));
	show_event(c);
	b = prepare(IOCB_CMD_PREAD, fd, buf, 5, 6, 2);
	show(submit(c, &b));
	show_event(c);
	printf("%s\n", buf);
	struct iovec v[2] = {{buf, 3}, {second, 60}};
	b = prepare(IOCB_CMD_PREADV, fd, v, 2, 0, 3);
	show(submit(c, &b));
	show_event(c);
	printf("%.3s|%s\n", buf, second);
	b = prepare(IOCB_CMD_FSYNC, fd, NULL, 0, 0, 4);
	show(submit(c, &b));
	show_event(c);
	b = prepare(IOCB_CMD_PREAD, 99, buf, 5, 0, 5);
	show(submit(c, &b));
	b = prepare(77, fd, buf, 5, 0, 6);
	show(submit(c, &b));
	b = prepare(IOCB_CMD_PREAD, fd, (void *)8, 5, 0, 7);
	show(submit(c, &b));
	show_event(c);
	b = prepare(IOCB_CMD_PREAD, fd, buf, 5, -5, 8);
	show(submit(c, &b));
	show(syscall(SYS_io_submit, c, -1l, NULL));
	show(syscall(SYS_io_submit, c, 0l, NULL));
	show(syscall(SYS_io_submit, c, 1l, (void *)8));
	show(syscall(SYS_io_submit, 4096ul, 1l, NULL));
	/* An eventfd is told. */
	int e = (int)must(eventfd(0, 0));
	uint64_t n;
	b = prepare(IOCB_CMD_PREAD, fd, buf, 5, 0, 9);
	b.aio_flags = IOCB_FLAG_RESFD;
	b.aio_resfd = (uint32_t)e;
	show(submit(c, &b));
	show(read(e, &n, 8));
	printf("count %lu\n", n);
	/* Libraries look into the ring themselves. */
	is((r->tail + r->nr - r->head) % r->nr == 1);
	show_event(c);
	is(r->tail == r->head);
	/* Waiting for a file. */
	int p[2];
	must(pipe(p));
	b = prepare(IOCB_CMD_POLL, p[0], (void *)POLLIN, 0, 0, 10);
	show(submit(c, &b));
	struct io_event events[4];
	struct timespec t = {0, 20000000};
	show(syscall(SYS_io_getevents, c, 1l, 4l, events, &t));
	must(write(p[1], "x", 1));
	show(syscall(SYS_io_getevents, c, 1l, 1l, events, NULL));
	is(events[0].data == 10 && (events[0].res & POLLIN));
	must(read(p[0], buf, 1));
	show(submit(c, &b));
	show(syscall(SYS_io_cancel, c, &b, events));
	show(syscall(SYS_io_getevents, c, 1l, 4l, events, &t));
	show(syscall(SYS_io_cancel, c, &b, events));
	show(syscall(SYS_io_getevents, c, 5l, 4l, events, &t));
	show(syscall(SYS_io_getevents, c, 0l, 4l, events, &t));
	sigset_t set;
	sigemptyset(&set);
	const struct {
		const sigset_t *mask;
		size_t size;
	} mask = {&set, 8}, bad = {&set, 3};
	show(syscall(SYS_io_pgetevents, c, 0l, 4l, events, &t, &mask));
	show(syscall(SYS_io_pgetevents, c, 0l, 4l, events, &t, &bad));
	/* The end takes what waits with it. */
	show(submit(c, &b));
	show(syscall(SYS_io_destroy, c));
	show(syscall(SYS_io_destroy, c));
	is(syscall(SYS_io_submit, c, 0l, NULL) == -1 && errno == EINVAL);
	unlink("/tmp/aio");
	return 0;
}
