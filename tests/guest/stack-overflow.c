/* Endless recursion ends by SIGSEGV, not by overwriting what lies below. */
#include "lib/check.h"

__attribute__((noinline)) static int endless(int n)
{
	volatile char frame[500];
	frame[n % 500] = n;
	return n < 0 ? 0 : endless(n + 1) + frame[0];
}

int main(void)
{
	puts("down");
	fflush(stdout);
	return endless(0);
}
