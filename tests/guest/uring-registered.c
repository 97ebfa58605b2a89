/* What is registered with a ring: files and their slots, direct descriptors, eventfd, restrictions, buffer rings. */
#include "lib/uring.h"
#include <sys/eventfd.h>

static void files(struct ring *r)
{
	char buf[16] = "";
	int p[2], fds[4];
	must(pipe(p));
	fds[0] = p[0];
	fds[1] = p[1];
	fds[2] = fds[3] = -1;
	show(ring_register(r, IORING_REGISTER_FILES, fds, 4));
	show(ring_register(r, IORING_REGISTER_FILES, fds, 4));
	close(p[0]);
	close(p[1]);
	ring_sqe(r, IORING_OP_WRITE, 1, "abc", 3, 0, 1)->flags = IOSQE_FIXED_FILE;
	ring_do(r, 1);
	ring_sqe(r, IORING_OP_READ, 0, buf, 3, 0, 2)->flags = IOSQE_FIXED_FILE;
	ring_do(r, 1);
	printf("%s\n", buf);
	ring_sqe(r, IORING_OP_READ, 2, buf, 3, 0, 3)->flags = IOSQE_FIXED_FILE;
	ring_do(r, 1);
	ring_sqe(r, IORING_OP_READ, 9, buf, 3, 0, 4)->flags = IOSQE_FIXED_FILE;
	ring_do(r, 1);
	/* Opened, read and closed in one chain, without a descriptor. */
	int fd = (int)must(open("/tmp/uring-registered", O_RDWR | O_CREAT | O_TRUNC, 0600));
	must(write(fd, "contents", 8));
	close(fd);
	struct io_uring_sqe *s =
		ring_sqe(r, IORING_OP_OPENAT, AT_FDCWD, "/tmp/uring-registered", 0, 0, 5);
	s->open_flags = O_RDONLY;
	s->file_index = 3;
	s->flags = IOSQE_IO_LINK;
	s = ring_sqe(r, IORING_OP_READ, 2, buf, 8, 0, 6);
	s->flags = IOSQE_FIXED_FILE | IOSQE_IO_LINK;
	ring_sqe(r, IORING_OP_CLOSE, 0, NULL, 0, 0, 7)->file_index = 3;
	ring_do(r, 3);
	printf("%.8s\n", buf);
	ring_sqe(r, IORING_OP_CLOSE, 0, NULL, 0, 0, 8)->file_index = 3;
	ring_do(r, 1);
	s = ring_sqe(r, IORING_OP_OPENAT, AT_FDCWD, "/tmp/uring-registered", 0, 0, 9);
	s->file_index = IORING_FILE_INDEX_ALLOC;
	ring_do(r, 1);
	s = ring_sqe(r, IORING_OP_SOCKET, AF_UNIX, NULL, 0, SOCK_STREAM, 10);
	s->file_index = IORING_FILE_INDEX_ALLOC;
	ring_do(r, 1);
	s = ring_sqe(r, IORING_OP_SOCKET, AF_UNIX, NULL, 0, SOCK_STREAM, 11);
	s->file_index = IORING_FILE_INDEX_ALLOC;
	ring_do(r, 1);
	s = ring_sqe(r, IORING_OP_SOCKET, AF_UNIX, NULL, 0, SOCK_STREAM, 12);
	s->file_index = 50;
	ring_do(r, 1);
	int none = -1;
	struct io_uring_files_update u = {.offset = 3, .fds = (uintptr_t)&none};
	show(ring_register(r, IORING_REGISTER_FILES_UPDATE, &u, 1));
	u.offset = 4;
	show(ring_register(r, IORING_REGISTER_FILES_UPDATE, &u, 1));
	show(ring_register(r, IORING_UNREGISTER_FILES, NULL, 0));
	struct io_uring_rsrc_register sparse = {.nr = 8, .flags = IORING_RSRC_REGISTER_SPARSE};
	show(ring_register(r, IORING_REGISTER_FILES2, &sparse, sizeof(sparse)));
	show(ring_register(r, IORING_REGISTER_FILES2, &sparse, 3));
	struct io_uring_file_index_range range = {.off = 6, .len = 1};
	show(ring_register(r, IORING_REGISTER_FILE_ALLOC_RANGE, &range, 0));
	s = ring_sqe(r, IORING_OP_SOCKET, AF_UNIX, NULL, 0, SOCK_STREAM, 13);
	s->file_index = IORING_FILE_INDEX_ALLOC;
	ring_do(r, 1);
	show(ring_register(r, IORING_UNREGISTER_FILES, NULL, 0));
	unlink("/tmp/uring-registered");
}

static void buffer_ring(struct ring *r)
{
	static char data[4][32];
	struct io_uring_buf_ring *b =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct io_uring_buf_reg reg = {.ring_addr = (uintptr_t)b, .ring_entries = 4, .bgid = 9};
	show(ring_register(r, IORING_REGISTER_PBUF_RING, &reg, 1));
	show(ring_register(r, IORING_REGISTER_PBUF_RING, &reg, 1));
	struct io_uring_buf *entries = (void *)b;
	for (unsigned i = 0; i < 2; i++) {
		entries[i].addr = (uintptr_t)data[i];
		entries[i].len = 32;
		entries[i].bid = (uint16_t)(100 + i);
	}
	__atomic_store_n(&b->tail, 2, __ATOMIC_RELEASE);
	int sv[2];
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	for (int i = 0; i < 3; i++) {
		must(write(sv[1], "data", 4));
		struct io_uring_sqe *s =
			ring_sqe(r, IORING_OP_RECV, sv[0], NULL, 0, 0, 30 + (uint64_t)i);
		s->flags = IOSQE_BUFFER_SELECT;
		s->buf_group = 9;
		must(ring_submit(r, 1));
		struct io_uring_cqe c = ring_take(r);
		cqe_show(&c);
		if (c.res > 0)
			printf("buffer %u: %.4s\n", c.flags >> IORING_CQE_BUFFER_SHIFT, data[i]);
	}
	show(ring_register(r, IORING_UNREGISTER_PBUF_RING, &reg, 1));
	show(ring_register(r, IORING_UNREGISTER_PBUF_RING, &reg, 1));
	reg.ring_entries = 3;
	show(ring_register(r, IORING_REGISTER_PBUF_RING, &reg, 1));
	reg.ring_addr += 8;
	reg.ring_entries = 4;
	show(ring_register(r, IORING_REGISTER_PBUF_RING, &reg, 1));
}

static void notified(struct ring *r)
{
	uint64_t n = 0;
	int fd = (int)must(eventfd(0, EFD_NONBLOCK)), p[2];
	must(pipe(p));
	show(ring_register(r, IORING_REGISTER_EVENTFD, &fd, 1));
	show(ring_register(r, IORING_REGISTER_EVENTFD, &fd, 1));
	ring_sqe(r, IORING_OP_NOP, -1, NULL, 0, 0, 40);
	ring_do(r, 1);
	show(read(fd, &n, 8));
	show(ring_register(r, IORING_UNREGISTER_EVENTFD, NULL, 0));
	show(ring_register(r, IORING_REGISTER_EVENTFD_ASYNC, &fd, 1));
	ring_sqe(r, IORING_OP_NOP, -1, NULL, 0, 0, 41);
	ring_do(r, 1);
	show(read(fd, &n, 8));
	ring_sqe(r, IORING_OP_POLL_ADD, p[0], NULL, 0, 0, 42)->poll32_events = POLLIN;
	must(ring_submit(r, 0));
	must(write(p[1], "x", 1));
	struct pollfd f = {fd, POLLIN, 0};
	show(poll(&f, 1, 50));
	ring_show(r, 1);
	show(ring_register(r, IORING_REGISTER_EVENTFD, &p[0], 1));
	show(ring_register(r, IORING_UNREGISTER_EVENTFD, NULL, 0));
}

static void restricted(void)
{
	struct ring r;
	const struct io_uring_params p = {.flags = IORING_SETUP_R_DISABLED};
	ring_open_with(&r, 8, &p);
	ring_sqe(&r, IORING_OP_NOP, -1, NULL, 0, 0, 50);
	show(ring_submit(&r, 0));
	struct io_uring_restriction allow[3] = {
		{.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_NOP},
		{.opcode = IORING_RESTRICTION_REGISTER_OP, .register_op = IORING_REGISTER_PROBE},
		{.opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED, .sqe_flags = IOSQE_ASYNC},
	};
	show(ring_register(&r, IORING_REGISTER_RESTRICTIONS, allow, 3));
	show(ring_register(&r, IORING_REGISTER_ENABLE_RINGS, NULL, 0));
	show(ring_enter(&r, 1, 1, IORING_ENTER_GETEVENTS));
	ring_show(&r, 1);
	ring_sqe(&r, IORING_OP_READ, 0, NULL, 0, 0, 51);
	ring_do(&r, 1);
	ring_sqe(&r, IORING_OP_NOP, 0, NULL, 0, 0, 52)->flags = IOSQE_IO_LINK;
	ring_do(&r, 1);
	int fd = 0;
	show(ring_register(&r, IORING_REGISTER_FILES, &fd, 1));
	show(ring_register(&r, IORING_REGISTER_ENABLE_RINGS, NULL, 0));
	ring_close(&r);
}

static void own_numbers(struct ring *r)
{
	struct io_uring_rsrc_update u = {.offset = ~0u, .data = (uint64_t)r->fd};
	show(ring_register(r, IORING_REGISTER_RING_FDS, &u, 1));
	printf("slot %u\n", u.offset);
	ring_sqe(r, IORING_OP_NOP, -1, NULL, 0, 0, 60);
	atomic_fetch_add(r->sq_tail, 1);
	r->pending = 0;
	show(syscall(SYS_io_uring_enter, u.offset, 1, 1,
		IORING_ENTER_GETEVENTS | IORING_ENTER_REGISTERED_RING, NULL, 8));
	ring_show(r, 1);
	show(syscall(SYS_io_uring_enter, 5, 0, 0, IORING_ENTER_REGISTERED_RING, NULL, 8));
	show(syscall(SYS_io_uring_enter, 16, 0, 0, IORING_ENTER_REGISTERED_RING, NULL, 8));
	u.data = 0;
	show(ring_register(r, IORING_UNREGISTER_RING_FDS, &u, 1));
}

static void personality(struct ring *r)
{
	int id = ring_register(r, IORING_REGISTER_PERSONALITY, NULL, 0);
	is(id > 0);
	ring_sqe(r, IORING_OP_NOP, -1, NULL, 0, 0, 70)->personality = (uint16_t)id;
	ring_do(r, 1);
	show(ring_register(r, IORING_UNREGISTER_PERSONALITY, NULL, (unsigned)id));
	show(ring_register(r, IORING_UNREGISTER_PERSONALITY, NULL, (unsigned)id));
	ring_sqe(r, IORING_OP_NOP, -1, NULL, 0, 0, 71)->personality = (uint16_t)id;
	ring_do(r, 1);
}

int main(void)
{
	struct ring r;
	ring_open(&r, 16);
	files(&r);
	buffer_ring(&r);
	notified(&r);
	restricted();
	own_numbers(&r);
	personality(&r);
	ring_close(&r);
	return 0;
}
