/* The smallest case: a static executable. */
/* test: static */
#include <stdio.h>

int main(void)
{
	puts("hello from a static executable");
	return 0;
}
