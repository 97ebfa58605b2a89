/* A program that wants more memory than there is ends, and the machine says why. */
/* test: memory=32M */
#include "lib/check.h"

int main(void)
{
	if (sysconf(_SC_PHYS_PAGES) > (256 << 20) / 4096) {
		puts("on Linux this machine is too large to fill");
		return 0;
	}
	for (size_t n = 0;; n++) {
		char *p = mmap(
			NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			break;
		memset(p, 1, 1 << 20);
	}
	puts("mmap failed");
	return 0;
}
