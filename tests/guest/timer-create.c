/* POSIX timers: a signal with a value, to one thread, to a function; overruns; deleting. */
#include "lib/check.h"

static volatile int value, code, in_thread, wrong_thread;
static atomic_int called;
static pid_t target;

static void on_timer(int sig, siginfo_t *info, void *context)
{
	value = info->si_value.sival_int;
	code = info->si_code;
	wrong_thread += target && gettid() != target;
	in_thread++;
}

static void function(union sigval v)
{
	called = v.sival_int;
}

static timer_t make(struct sigevent event, long ms, long interval_ms)
{
	timer_t timer;
	struct itimerspec t = {{0, interval_ms * 1000000}, {0, ms * 1000000}};
	must(timer_create(CLOCK_MONOTONIC, &event, &timer));
	must(timer_settime(timer, 0, &t, NULL));
	return timer;
}

int main(void)
{
	struct itimerspec t;
	handle(SIGUSR1, on_timer, 0);
	timer_t timer = make((struct sigevent){.sigev_notify = SIGEV_SIGNAL,
				     .sigev_signo = SIGUSR1,
				     .sigev_value.sival_int = 99},
		30, 0);
	while (!in_thread)
		pause();
	printf("value %d code %d\n", value, code);
	must(timer_gettime(timer, &t));
	printf("left %ld\n", t.it_value.tv_sec + t.it_value.tv_nsec);
	show(timer_delete(timer));

	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
	event._sigev_un._tid = target = gettid();
	in_thread = 0;
	timer = make(event, 10, 10);
	while (in_thread < 3)
		pause();
	printf("wrong thread: %d\n", wrong_thread);
	must(timer_gettime(timer, &t));
	printf("interval %ld ms\n", t.it_interval.tv_nsec / 1000000);
	show(timer_delete(timer));

	timer = make((struct sigevent){.sigev_notify = SIGEV_THREAD,
			     .sigev_notify_function = function,
			     .sigev_value.sival_int = 5},
		20, 0);
	while (!called)
		sleep_ms(5);
	printf("called with %d\n", called);
	show(timer_delete(timer));

	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	timer = make((struct sigevent){.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1}, 5, 5);
	sleep_ms(100);
	siginfo_t info;
	must(sigwaitinfo(&set, &info));
	is(info.si_overrun > 3);
	is(timer_getoverrun(timer) == info.si_overrun);
	show(timer_delete(timer));
	show(syscall(SYS_timer_delete, 1234));
	show(timer_create(12345, NULL, &timer));
	return 0;
}
