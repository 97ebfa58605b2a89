/* Servers open /dev/stderr as their log file, to append and to create: it is there. */
#include "lib/check.h"

int main(void)
{
	static const char *const paths[] = {"/dev/stderr", "/proc/self/fd/2", "/dev/fd/1"};
	for (unsigned i = 0; i < 3; i++) {
		int fd = open(paths[i], O_WRONLY | O_APPEND | O_CREAT, 0644);
		printf("%s: %s\n", paths[i], fd >= 0 ? "open" : strerrorname_np(errno));
		close(fd);
	}
	return 0;
}
