/* Two thousand arguments, thirty thousand bytes, all there. */
/* test: args=@many */
#include "lib/check.h"

int main(int argc, char **argv)
{
	size_t total = 0;
	int wrong = 0;
	for (int i = 1; i < argc; i++) {
		total += strlen(argv[i]);
		wrong += atoi(argv[i] + 9) != i;
	}
	printf("%d arguments, %zu bytes, %d wrong\n", argc - 1, total, wrong);
	return 0;
}
