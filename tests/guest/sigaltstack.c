/* The alternate stack: used when asked, reported while used, refused when too small. */
#include "lib/check.h"

static char area[65536];

static void on_signal(int sig, siginfo_t *info, void *context)
{
	stack_t now;
	char here;
	must(sigaltstack(NULL, &now));
	printf("%s the alternate stack, flags %d\n",
		&here >= area && &here < area + sizeof(area) ? "on" : "off", now.ss_flags);
	show(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL));
}

int main(void)
{
	stack_t old;
	must(sigaltstack(NULL, &old));
	printf("at first: flags %d size %zu\n", old.ss_flags, old.ss_size);
	show(sigaltstack(&(stack_t){.ss_sp = area, .ss_size = 100}, NULL));
	show(sigaltstack(&(stack_t){.ss_sp = area, .ss_size = sizeof(area), .ss_flags = 77}, NULL));
	show(sigaltstack(&(stack_t){.ss_sp = area, .ss_size = sizeof(area)}, NULL));
	must(sigaltstack(NULL, &old));
	printf("set: flags %d size %zu %s\n", old.ss_flags, old.ss_size,
		old.ss_sp == area ? "there" : "elsewhere");
	handle(SIGUSR1, on_signal, SA_ONSTACK);
	handle(SIGUSR2, on_signal, 0);
	raise(SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR2);
	must(sigaltstack(NULL, &old));
	printf("at last: flags %d\n", old.ss_flags);
	return 0;
}
