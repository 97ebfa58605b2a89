/* A thousand descriptors at once, closed in odd order; numbers are reused from below. */
#include "lib/check.h"
#include <sys/resource.h>

int main(void)
{
	struct rlimit r;
	must(getrlimit(RLIMIT_NOFILE, &r));
	if (r.rlim_cur < 1010) {
		r.rlim_cur = 1010;
		must(setrlimit(RLIMIT_NOFILE, &r));
	}
	write_file("f", "x");
	int wrong = 0;
	for (int i = 0; i < 1000; i++)
		wrong += open("f", O_RDONLY) != i + 3;
	for (int i = 3; i < 1003; i += 3)
		wrong += close(i) != 0;
	for (int i = 3; i < 1003; i += 3)
		wrong += open("f", O_RDONLY) != i;
	char c;
	for (int i = 3; i < 1003; i++)
		wrong += read(i, &c, 1) != 1;
	printf("%d wrong\n", wrong);
	return 0;
}
