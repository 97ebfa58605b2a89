/* siglongjmp out of a handler restores the mask, a thousand times over. */
#include "lib/check.h"
#include <setjmp.h>

static sigjmp_buf back;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	siglongjmp(back, sig);
}

int main(void)
{
	volatile int times = 0, stayed = 0;
	sigset_t now;
	handle(SIGUSR1, on_signal, 0);
	handle(SIGSEGV, on_signal, 0);
	for (int i = 0; i < 1000; i++) {
		if (sigsetjmp(back, 1) == 0) {
			if (i % 2)
				raise(SIGUSR1);
			else
				*(volatile int *)8 = 0;
			stayed++;
		}
		times++;
	}
	printf("%d %d\n", times, stayed);
	must(sigprocmask(SIG_BLOCK, NULL, &now));
	printf("%d %d\n", sigismember(&now, SIGUSR1), sigismember(&now, SIGSEGV));
	if (sigsetjmp(back, 0) == 0)
		raise(SIGUSR1);
	must(sigprocmask(SIG_BLOCK, NULL, &now));
	printf("without saving: %d\n", sigismember(&now, SIGUSR1));
	return 0;
}
