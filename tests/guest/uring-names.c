/* Names through io_uring: openat, openat2, statx, mkdirat, renameat, linkat, symlinkat, unlinkat, close, xattrs, splice. */
#include "lib/uring.h"
#include <linux/openat2.h>
#include <linux/stat.h>

int main(void)
{
	struct ring r;
	struct statx x;
	char buf[64] = "";
	ring_open(&r, 16);
	must(mkdir("/tmp/uring-names", 0700));
	must(chdir("/tmp/uring-names"));
	struct io_uring_sqe *s = ring_sqe(&r, IORING_OP_OPENAT, AT_FDCWD, "file", 0600, 0, 1);
	s->open_flags = O_CREAT | O_RDWR;
	must(ring_submit(&r, 1));
	int fd = ring_take(&r).res;
	is(fd >= 0);
	must(write(fd, "12345", 5));
	ring_sqe(&r, IORING_OP_STATX, AT_FDCWD, "file", STATX_SIZE, (uintptr_t)&x, 2);
	ring_do(&r, 1);
	printf("size %llu\n", x.stx_size);
	ring_sqe(&r, IORING_OP_OPENAT, AT_FDCWD, "missing", 0, 0, 3);
	ring_do(&r, 1);
	ring_sqe(&r, IORING_OP_MKDIRAT, AT_FDCWD, "dir", 0700, 0, 4);
	ring_do(&r, 1);
	ring_sqe(&r, IORING_OP_RENAMEAT, AT_FDCWD, "file", (unsigned)AT_FDCWD,
		(uintptr_t) "dir/file", 5);
	ring_do(&r, 1);
	ring_sqe(&r, IORING_OP_LINKAT, AT_FDCWD, "dir/file", (unsigned)AT_FDCWD, (uintptr_t) "hard",
		6);
	ring_do(&r, 1);
	ring_sqe(&r, IORING_OP_SYMLINKAT, AT_FDCWD, "hard", 0, (uintptr_t) "soft", 7);
	ring_do(&r, 1);
	printf("link %.*s\n", (int)readlink("soft", buf, sizeof(buf)), buf);
	ring_sqe(&r, IORING_OP_UNLINKAT, AT_FDCWD, "dir", 0, 0, 8);
	ring_do(&r, 1);
	ring_sqe(&r, IORING_OP_UNLINKAT, AT_FDCWD, "dir/file", 0, 0, 9);
	ring_do(&r, 1);
	ring_sqe(&r, IORING_OP_UNLINKAT, AT_FDCWD, "dir", 0, 0, 10)->unlink_flags = AT_REMOVEDIR;
	ring_do(&r, 1);
	const struct open_how how = {.flags = O_RDONLY};
	ring_sqe(&r, IORING_OP_OPENAT2, AT_FDCWD, "hard", sizeof(how), (uintptr_t)&how, 11);
	must(ring_submit(&r, 1));
	int other = ring_take(&r).res;
	is(other >= 0);
	/* From the file through a pipe, with offsets. */
	int p[2];
	must(pipe(p));
	s = ring_sqe(&r, IORING_OP_SPLICE, p[1], NULL, 3, (uint64_t)-1, 12);
	s->splice_fd_in = other;
	s->splice_off_in = 2;
	ring_do(&r, 1);
	printf("%.*s\n", (int)read(p[0], buf, 3), buf);
	must(write(p[1], "tee", 3));
	int q[2];
	must(pipe(q));
	s = ring_sqe(&r, IORING_OP_TEE, q[1], NULL, 3, 0, 13);
	s->splice_fd_in = p[0];
	ring_do(&r, 1);
	printf("%.*s\n", (int)read(q[0], buf, 3), buf);
	ring_sqe(&r, IORING_OP_CLOSE, other, NULL, 0, 0, 14);
	ring_do(&r, 1);
	ring_sqe(&r, IORING_OP_CLOSE, other, NULL, 0, 0, 15);
	ring_do(&r, 1);
	ring_sqe(&r, IORING_OP_CLOSE, r.fd, NULL, 0, 0, 16);
	ring_do(&r, 1);
	s = ring_sqe(&r, IORING_OP_FGETXATTR, fd, "user.none", sizeof(buf), (uintptr_t)buf, 17);
	ring_do(&r, 1);
	ring_close(&r);
	must(unlink("hard"));
	must(unlink("soft"));
	must(rmdir("/tmp/uring-names"));
	return 0;
}
