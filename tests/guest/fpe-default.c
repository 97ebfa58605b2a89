/* Division by zero nobody handles: status 136. */
#include "lib/check.h"

int main(int argc, char **argv)
{
	puts("dividing");
	fflush(stdout);
	volatile int zero = argc - 1;
	return 7 / zero;
}
