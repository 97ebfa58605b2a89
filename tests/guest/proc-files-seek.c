/* Files of /proc can be read in small pieces, at offsets, and again. */
#include "lib/check.h"

int main(void)
{
	static char whole[65536], pieces[65536];
	const char *paths[] = {
		"/proc/cpuinfo", "/proc/self/cmdline", "/proc/sys/kernel/ostype", "/proc/mounts"};
	for (size_t i = 0; i < COUNT(paths); i++) {
		int fd = must(open(paths[i], O_RDONLY));
		ssize_t n = must(read(fd, whole, sizeof(whole))), at = 0, k;
		must(lseek(fd, 0, SEEK_SET));
		while ((k = read(fd, pieces + at, 7)) > 0)
			at += k;
		is(at == n && memcmp(whole, pieces, n) == 0);
		is(pread(fd, pieces, 3, 2) == 3 && memcmp(pieces, whole + 2, 3) == 0);
		is(read(fd, pieces, 10) == 0);
		close(fd);
	}
	struct stat st;
	must(stat("/proc/cpuinfo", &st));
	printf("%#o size %ld\n", st.st_mode, (long)st.st_size);
	return 0;
}
