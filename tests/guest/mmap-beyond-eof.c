/* mmap of a file: zeros up to the end of the last page, SIGBUS on whole pages beyond it. */
#include "lib/check.h"
#include <setjmp.h>

static sigjmp_buf back;
static char *base;

static void on_bus(int sig, siginfo_t *info, void *context)
{
	printf("SIGBUS code %d at page %ld\n", info->si_code,
		((char *)info->si_addr - base) / (long)PAGE);
	siglongjmp(back, 1);
}

int main(void)
{
	handle(SIGBUS, on_bus, 0);
	int fd = must(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	must(ftruncate(fd, PAGE + 100));
	base = (char *)must(mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	base[PAGE + 2000] = 'x';
	puts("the rest of the last page can be written");
	if (sigsetjmp(back, 1) == 0)
		printf("%d\n", base[2 * PAGE]);
	if (sigsetjmp(back, 1) == 0)
		base[3 * PAGE + 5] = 1;
	must(ftruncate(fd, 3 * PAGE));
	printf("after growth: %d\n", base[2 * PAGE]);
	char c = 1;
	must(pread(fd, &c, 1, PAGE + 2000));
	is(c == 'x' || c == 0);
	return 0;
}
