/* brk: grows zeroed, shrinks, gives fresh zeros after both, refuses nonsense by returning the old end. */
#include "lib/check.h"

static char *set(char *end)
{
	return (char *)syscall(SYS_brk, end);
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF,
		0); /* keeps malloc, which would move the end, out of the way */
	char *begin = set(NULL);
	is(begin != NULL);
	char *end = set(begin + 10 * PAGE + 100);
	is(end == begin + 10 * PAGE + 100);
	for (char *p = begin; p < end; p++)
		if (*p)
			printf("not zero at %ld\n", (long)(p - begin));
	memset(begin, 'x', end - begin);
	is(set(begin) == begin);
	is(set(begin + 5 * PAGE) == begin + 5 * PAGE);
	printf("%d\n", begin[2 * PAGE]);
	is(set((char *)PAGE) == begin + 5 * PAGE);
	is(set((char *)0x7fffffffffff) == begin + 5 * PAGE);
	is(sbrk(0) != (void *)-1);
	return 0;
}
