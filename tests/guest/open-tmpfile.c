/* O_TMPFILE: a file without a name, which linkat can name. Filesystems may refuse it with EOPNOTSUPP. */
#include "lib/check.h"

int main(void)
{
	must(mkdir("d", 0755));
	int fd = open("d", O_TMPFILE | O_RDWR, 0600);
	if (fd < 0 && errno == EOPNOTSUPP) {
		puts("a file without a name");
		return 0;
	}
	must(write(fd, "hello", 5));
	struct stat st;
	must(fstat(fd, &st));
	puts(st.st_nlink == 0 ? "a file without a name" : "a file with a name");
	return 0;
}
