/* Division by zero nobody handles: status 136. */
#include "lib/check.h"

int main(int argc, char **argv)
{
	puts("dividing");
	fflush(stdout);
	return 1 / (argc - 1);
}
