/* A dynamic executable at a fixed address. */
/* test: cflags='-no-pie -fno-pie' */
#include <stdint.h>
#include <stdio.h>

int main(void)
{
	printf("main below 16 MB: %s\n", (uintptr_t)main < 16 << 20 ? "yes" : "no");
	return 0;
}
