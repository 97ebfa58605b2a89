/* Where programs expect to write: /tmp, /var/tmp, /run, /dev/shm, the working directory. */
#include "lib/check.h"

static void try(const char *folder)
{
	char path[100];
	struct stat st;
	sprintf(path, "%s/mote-test-%d", folder, getpid());
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	printf("%s: %s", folder,
		fd >= 0 && write(fd, "x", 1) == 1 ? "written" : strerrorname_np(errno));
	printf(" %s", unlink(path) == 0 ? "removed" : strerrorname_np(errno));
	printf(" %#o\n", stat(folder, &st) == 0 ? st.st_mode : 0);
}

int main(void)
{
	try("/tmp");
	try("/var/tmp");
	try("/dev/shm");
	try(".");
	return 0;
}
