/* A buffer whose end is missing: what was possible is done, strings must end before it. */
#include "lib/check.h"

int main(void)
{
	char *p = map_pages(2, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	must(munmap(p + PAGE, PAGE));
	char *end = p + PAGE;
	int fd[2];
	must(pipe(fd));
	memset(p, 'a', PAGE);
	long n = write(fd[1], end - 10, 20);
	is(n == 10 || (n == -1 && errno == EFAULT));
	show(write(fd[1], end - 10, 10));
	write_file("f", "0123456789012345678901234567890123456789");
	int file = must(open("f", O_RDWR));
	show(read(file, end - 10, 10));
	show(open(end - 5, O_RDONLY));
	strcpy(end - 2, "f");
	show_ok(open(end - 2, O_RDONLY));
	struct stat *st = (struct stat *)(end - sizeof(*st));
	show(stat("f", st));
	show(stat("f", st + 1));
	show(syscall(SYS_fstat, file, (char *)st + 8));
	must(mprotect(p, PAGE, PROT_READ));
	show(read(file, p, 10));
	show(write(fd[1], p, 10));
	show(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, p));
	return 0;
}
