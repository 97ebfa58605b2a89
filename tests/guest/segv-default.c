/* A null pointer nobody handles: what was printed before is there, the status is 139. */
#include "lib/check.h"

int main(void)
{
	printf("written through a full buffer, then a crash\n");
	fflush(stdout);
	volatile int *null = NULL;
	return *null;
}
