/* exit passes on the low eight bits, after atexit functions and flushed buffers. */
#include "lib/check.h"

static void second(void)
{
	printf("second");
}

static void first(void)
{
	puts("first");
}

int main(void)
{
	atexit(second);
	atexit(first);
	printf("no newline, ");
	return 0x1ea;
}
