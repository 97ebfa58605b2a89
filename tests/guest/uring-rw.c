/* io_uring on files and pipes: positions, vectors, short reads, fixed buffers, pipes that fill later, errors. */
/* test: cpus=2 */
#include "lib/uring.h"

static void *write_later(void *fd)
{
	sleep_ms(30);
	must(write((int)(long)fd, "late", 4));
	return NULL;
}

int main(void)
{
	struct ring r;
	char buf[8192], other[64];
	ring_open(&r, 16);
	int fd = (int)must(open("/tmp/uring-rw", O_RDWR | O_CREAT | O_TRUNC, 0600));
	ring_sqe(&r, IORING_OP_WRITE, fd, "hello world", 11, 0, 1);
	ring_do(&r, 1);
	memset(buf, 0, sizeof(buf));
	ring_sqe(&r, IORING_OP_READ, fd, buf, 5, 6, 2);
	ring_do(&r, 1);
	printf("%s\n", buf);
	struct iovec v[2] = {{buf, 3}, {other, 20}};
	memset(other, 0, sizeof(other));
	ring_sqe(&r, IORING_OP_READV, fd, v, 2, 0, 3);
	ring_do(&r, 1);
	printf("%.3s|%s\n", buf, other);
	/* The file's own position. */
	ring_sqe(&r, IORING_OP_READ, fd, buf, 6, (uint64_t)-1, 4);
	ring_do(&r, 1);
	ring_sqe(&r, IORING_OP_READ, fd, buf, 60, (uint64_t)-1, 5);
	ring_do(&r, 1);
	show(lseek(fd, 0, SEEK_CUR));
	ring_sqe(&r, IORING_OP_READ, fd, buf, 60, 500, 6);
	ring_sqe(&r, IORING_OP_READ, 99, buf, 60, 0, 7);
	ring_sqe(&r, IORING_OP_READ, fd, (void *)8, 5, 0, 8);
	ring_sqe(&r, IORING_OP_FSYNC, fd, NULL, 0, 0, 9);
	ring_sqe(&r, IORING_OP_WRITE, fd, "x", 1, 0, 10)->rw_flags = 1 << 20;
	ring_do(&r, 5);
	/* What a write's iovec said when it was submitted counts. */
	struct iovec w = {"abc", 3};
	ring_sqe(&r, IORING_OP_WRITEV, fd, &w, 1, 20, 11)->flags = IOSQE_ASYNC;
	show(ring_submit(&r, 0));
	w.iov_len = 1;
	ring_show(&r, 1);
	struct iovec registered[2] = {{buf, 4096}, {buf + 4096, 4096}};
	show(ring_register(&r, IORING_REGISTER_BUFFERS, registered, 2));
	show(ring_register(&r, IORING_REGISTER_BUFFERS, registered, 2));
	ring_sqe(&r, IORING_OP_READ_FIXED, fd, buf + 100, 5, 0, 12);
	ring_sqe(&r, IORING_OP_READ_FIXED, fd, buf + 4000, 500, 0, 13);
	ring_sqe(&r, IORING_OP_READ_FIXED, fd, buf, 5, 0, 14)->buf_index = 1;
	ring_sqe(&r, IORING_OP_READ_FIXED, fd, buf, 5, 0, 15)->buf_index = 7;
	ring_sqe(&r, IORING_OP_WRITE_FIXED, fd, buf + 4096, 8, 30, 16)->buf_index = 1;
	ring_do(&r, 5);
	printf("%.5s\n", buf + 100);
	show(ring_register(&r, IORING_UNREGISTER_BUFFERS, NULL, 0));
	/* Pipes: nothing there yet. */
	int p[2];
	must(pipe(p));
	ring_sqe(&r, IORING_OP_READ, p[0], buf, 64, 0, 20);
	show(ring_submit(&r, 0));
	show(ring_ready(&r));
	pthread_t thread = start(write_later, (void *)(long)p[1]);
	ring_show(&r, 1);
	printf("%.4s\n", buf);
	pthread_join(thread, NULL);
	ring_sqe(&r, IORING_OP_READ, p[0], buf, 64, 0, 21)->flags = IOSQE_ASYNC;
	show(ring_submit(&r, 0));
	must(write(p[1], "more", 4));
	ring_show(&r, 1);
	ring_sqe(&r, IORING_OP_READ, p[0], buf, 64, 0, 22)->rw_flags = RWF_NOWAIT;
	ring_do(&r, 1);
	ring_sqe(&r, IORING_OP_READ, p[0], buf, 64, 0, 23);
	show(ring_submit(&r, 0));
	close(p[1]);
	ring_show(&r, 1);
	ring_sqe(&r, IORING_OP_WRITE, p[0], buf, 64, 0, 24);
	ring_do(&r, 1);
	/* A full pipe, drained later. */
	must(pipe(p));
	static char big[65536];
	must(write(p[1], big, sizeof(big)));
	ring_sqe(&r, IORING_OP_WRITE, p[1], big, 4096, 0, 25);
	show(ring_submit(&r, 0));
	show(ring_ready(&r));
	must(read(p[0], big, sizeof(big)));
	ring_show(&r, 1);
	/* Preparations of files. */
	ring_sqe(&r, IORING_OP_FALLOCATE, fd, (void *)10000, 0, 0, 30);
	ring_sqe(&r, IORING_OP_FADVISE, fd, NULL, 100, 0, 31)->fadvise_advice = POSIX_FADV_WILLNEED;
	ring_sqe(&r, IORING_OP_FADVISE, fd, NULL, 100, 0, 32)->fadvise_advice = 77;
	ring_sqe(&r, IORING_OP_SYNC_FILE_RANGE, fd, NULL, 100, 0, 33);
	ring_sqe(&r, IORING_OP_MADVISE, -1, map_pages(1, PROT_READ | PROT_WRITE, MAP_PRIVATE), 4096,
		0, 34)
		->fadvise_advice = MADV_DONTNEED;
	ring_do(&r, 5);
	struct stat st;
	must(fstat(fd, &st));
	printf("size %ld\n", (long)st.st_size);
	ring_close(&r);
	unlink("/tmp/uring-rw");
	return 0;
}
