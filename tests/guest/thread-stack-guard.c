/* A thread's stack overflow hits its guard page: the handler runs on the alternate stack. */
#include "lib/check.h"

static void on_fault(int sig, siginfo_t *info, void *context)
{
	char text[] = "guard page, signal NN\n";
	text[19] = '0' + sig / 10;
	text[20] = '0' + sig % 10;
	_exit(write(1, text, sizeof(text) - 1) > 0 ? 7 : 8);
}

__attribute__((noinline)) static int endless(int n)
{
	volatile char frame[500];
	frame[n % 500] = n;
	return n < 0 ? 0 : endless(n + 1) + frame[0];
}

static void *thread(void *unused)
{
	static char other[65536];
	stack_t stack = {.ss_sp = other, .ss_size = sizeof(other)};
	must(sigaltstack(&stack, NULL));
	return (void *)(long)endless(0);
}

int main(void)
{
	handle(SIGSEGV, on_fault, SA_ONSTACK);
	pthread_join(start(thread, NULL), NULL);
	return 0;
}
