/* io_uring_setup: sizes, flags that do and do not go together, mappings, what enter and register refuse. */
#include "lib/uring.h"

static void try_setup(const char *what, unsigned n, unsigned flags, unsigned cq)
{
	struct io_uring_params p = {.flags = flags, .cq_entries = cq};
	int fd = ring_setup(n, &p);
	if (fd < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: sq %u cq %u\n", what, p.sq_entries, p.cq_entries);
	if (fd >= 0)
		close(fd);
}

int main(void)
{
	try_setup("none", 0, 0, 0);
	try_setup("one", 1, 0, 0);
	try_setup("five", 5, 0, 0);
	try_setup("too many", 40000, 0, 0);
	try_setup("clamped", 40000, IORING_SETUP_CLAMP, 0);
	try_setup("cq", 8, IORING_SETUP_CQSIZE, 100);
	try_setup("cq smaller", 8, IORING_SETUP_CQSIZE, 4);
	try_setup("cq zero", 8, IORING_SETUP_CQSIZE, 0);
	try_setup("unknown flag", 8, 1u << 30, 0);
	try_setup("defer alone", 8, IORING_SETUP_DEFER_TASKRUN, 0);
	try_setup("defer", 8, IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER, 0);
	try_setup("flag alone", 8, IORING_SETUP_TASKRUN_FLAG, 0);
	try_setup("coop", 8, IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG, 0);
	try_setup("sqpoll coop", 8, IORING_SETUP_SQPOLL | IORING_SETUP_COOP_TASKRUN, 0);
	try_setup("affinity alone", 8, IORING_SETUP_SQ_AFF, 0);
	show(ring_setup(8, NULL));
	struct io_uring_params p = {.resv = {1}};
	show(ring_setup(8, &p));

	struct ring r;
	ring_open(&r, 8);
	is(r.p.features & IORING_FEAT_SINGLE_MMAP);
	is(r.p.features & IORING_FEAT_NODROP);
	is(r.p.features & IORING_FEAT_EXT_ARG);
	is(fcntl(r.fd, F_GETFD) == FD_CLOEXEC);
	unsigned *other = mmap(NULL, 4096, PROT_READ, MAP_SHARED, r.fd, IORING_OFF_CQ_RING);
	is(other != MAP_FAILED && other[r.p.cq_off.ring_entries / 4] == 16);
	show(read(r.fd, &p, 8));
	show(ring_enter(&r, 0, 0, 1u << 20));
	show(ring_enter(&r, 5, 0, 0));
	show(syscall(SYS_io_uring_enter, 0, 0, 0, 0, NULL, 0));
	show(syscall(SYS_io_uring_enter, 99, 0, 0, 0, NULL, 0));
	show(ring_register(&r, 1000, NULL, 0));
	show(ring_register(&r, IORING_UNREGISTER_FILES, NULL, 0));
	show(ring_register(&r, IORING_UNREGISTER_BUFFERS, NULL, 0));
	show(ring_register(&r, IORING_UNREGISTER_EVENTFD, NULL, 0));
	show(ring_register(&r, IORING_REGISTER_ENABLE_RINGS, NULL, 0));
	struct pollfd f = {r.fd, POLLIN | POLLOUT, 0};
	show(poll(&f, 1, 0));
	printf("events %#x\n", f.revents);
	ring_sqe(&r, IORING_OP_NOP, 0, NULL, 0, 0, 7);
	show(ring_submit(&r, 0));
	show(poll(&f, 1, 0));
	printf("events %#x\n", f.revents);
	ring_show(&r, 1);
	ring_sqe(&r, 200, 0, NULL, 0, 0, 8);
	ring_do(&r, 1);
	ring_sqe(&r, IORING_OP_NOP, 0, NULL, 0, 0, 9)->flags = 0x80;
	ring_do(&r, 1);
	/* An entry of the array that is beyond the queue is dropped. */
	ring_sqe(&r, IORING_OP_NOP, 0, NULL, 0, 0, 10);
	r.array[*r.sq_tail & 7] = 1000;
	show(ring_submit(&r, 0));
	printf("dropped %u\n", *(unsigned *)(r.sq + r.p.sq_off.dropped));
	/* What there is no room for is told so. */
	struct {
		struct io_uring_probe p;
		struct io_uring_probe_op ops[64];
	} probe = {0};
	show(ring_register(&r, IORING_REGISTER_PROBE, &probe, 49));
	for (unsigned i = 0; i < 48; i++)
		if (i != IORING_OP_URING_CMD && !(probe.ops[i].flags & IO_URING_OP_SUPPORTED))
			printf("operation %u is missing\n", i);
	ring_close(&r);
	return 0;
}
