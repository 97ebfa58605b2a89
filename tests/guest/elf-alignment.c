/* Segments aligned to 2 MB, and a variable aligned to 64 KB. */
/* test: cflags='-Wl,-z,max-page-size=0x200000 -Wl,-z,common-page-size=0x200000' */
#include <stdint.h>
#include <stdio.h>

static char aligned[65536] __attribute__((aligned(65536)));
static int data = 3;

int main(void)
{
	aligned[65535] = 1;
	printf("%d %d %d\n", (int)((uintptr_t)aligned % 65536), aligned[65535] + data, aligned[0]);
	return 0;
}
