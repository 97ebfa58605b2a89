/* memfd_create: an unnamed file that grows, maps, and takes seals. */
#include "lib/check.h"

int main(void)
{
	char buf[64] = "";
	int fd = must(memfd_create("mine", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	show(fcntl(fd, F_GETFD));
	show(write(fd, "memory", 6));
	show(ftruncate(fd, 2 * PAGE));
	char *p = (char *)must(mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	strcpy(p + PAGE, "mapped");
	show(pread(fd, buf, 7, PAGE));
	printf("%s %s\n", p, buf);
	show(fcntl(fd, F_GET_SEALS));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
	show(ftruncate(fd, PAGE));
	show(ftruncate(fd, 3 * PAGE));
	show(pwrite(fd, "x", 1, 2 * PAGE));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	show(munmap(p, 2 * PAGE));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	show(pwrite(fd, "x", 1, 0));
	show_ok(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	show_ok(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	show(memfd_create("x", 0x8000));
	int plain = must(memfd_create("plain", 0));
	show(fcntl(plain, F_ADD_SEALS, F_SEAL_GROW));
	return 0;
}
