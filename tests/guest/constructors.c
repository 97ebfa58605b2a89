/* Constructors run in order before main, destructors after it, IFUNCs resolve. */
#include <stdio.h>
#include <unistd.h>

__attribute__((constructor(101))) static void first(void)
{
	puts("first");
}

__attribute__((constructor(102))) static void second(void)
{
	puts("second");
}

__attribute__((destructor)) static void last(void)
{
	puts("last");
}

static int chosen(void)
{
	return 42;
}

__attribute__((used)) static int (*choose(void))(void)
{
	return chosen;
}

int answer(void) __attribute__((ifunc("choose")));

int main(void)
{
	printf("main %d\n", answer());
	return 0;
}
