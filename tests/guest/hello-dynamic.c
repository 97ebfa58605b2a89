/* The usual case: a dynamic, position-independent executable. */
#include <stdio.h>

int main(void)
{
	puts("hello from a dynamic executable");
	return 0;
}
