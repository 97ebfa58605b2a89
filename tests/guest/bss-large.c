/* A large zeroed segment costs what is touched, and is zero where it starts in the middle of a page. */
#include "lib/check.h"

static char data[10] = "data";
static char huge[200ul << 20];
static int after;

int main(void)
{
	long sum = 0;
	for (size_t i = 0; i < sizeof(huge); i += 4ul << 20)
		sum += huge[i];
	for (size_t i = 0; i < 3 * PAGE; i++)
		sum += huge[i] + huge[sizeof(huge) - 1 - i];
	huge[128ul << 20] = 5;
	printf("%s %ld %d %d\n", data, sum, huge[128ul << 20], after);
	return 0;
}
