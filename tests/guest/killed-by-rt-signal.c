/* A real-time signal nobody handles ends the program with its number. */
#include "lib/check.h"

int main(void)
{
	puts("before");
	fflush(stdout);
	raise(SIGRTMIN + 3);
	puts("not reached");
	return 0;
}
