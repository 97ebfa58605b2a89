/* The stack grows by itself, page by page and in a leap, to the limit it was given. */
#include "lib/check.h"
#include <sys/resource.h>

static long deep(int n)
{
	volatile char frame[10000];
	frame[0] = n;
	frame[9999] = n + 1;
	return n == 0 ? 0 : deep(n - 1) + frame[9999] - frame[0];
}

static int leap(void)
{
	volatile char big[2 << 20];
	big[0] = 3;
	return big[0];
}

int main(void)
{
	struct rlimit limit;
	must(getrlimit(RLIMIT_STACK, &limit));
	printf("limit %ld KiB\n", (long)limit.rlim_cur / 1024);
	printf("%d\n", leap());
	printf("%ld\n", deep(700));
	return 0;
}
