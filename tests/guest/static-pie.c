/* A static position-independent executable relocates itself, and is not always at the same place. */
/* test: static-pie */
#include <stdint.h>
#include <stdio.h>

static const char *const table[] = {"relocated", "pointers"};

int main(void)
{
	printf("%s %s\n", table[0], table[1]);
	printf("far from zero: %s\n", (uintptr_t)main > 1ul << 32 ? "yes" : "no");
	return 0;
}
