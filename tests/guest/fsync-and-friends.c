/* fsync, fdatasync, sync, syncfs, sync_file_range, fadvise, readahead, fallocate. */
#include "lib/check.h"

int main(void)
{
	struct stat st;
	int fd = must(open("f", O_RDWR | O_CREAT, 0644)), p[2];
	must(pipe(p));
	must(write(fd, "data", 4));
	show(fsync(fd));
	show(fdatasync(fd));
	show(syncfs(fd));
	sync();
	show(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
	show(fsync(99));
	show(fsync(p[0]));
	show(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
	show(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	printf("%s\n", strerrorname_np(posix_fadvise(p[0], 0, 0, POSIX_FADV_NORMAL)));
	printf("%s\n", strerrorname_np(posix_fadvise(fd, 0, 0, 99)));
	show(fallocate(fd, 0, 0, 10000));
	must(fstat(fd, &st));
	printf("%ld\n", (long)st.st_size);
	show(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 50000));
	must(fstat(fd, &st));
	printf("%ld\n", (long)st.st_size);
	show(fallocate(fd, 0, 0, 0));
	show(fallocate(fd, 0, -1, 10));
	show(fallocate(p[1], 0, 0, 10));
	show_ok(readahead(fd, 0, 100));
	return 0;
}
