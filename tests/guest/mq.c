/* POSIX message queues: order by priority, limits, time-outs, poll, notification by signal and by thread. */
/* test: cpus=2 libs=-lrt */
#include "lib/check.h"
#include <mqueue.h>

#define NAME "/mote-test"

static atomic_int told, ready;
static mqd_t queue;

static void send_text(const char *text, unsigned priority)
{
	show(mq_send(queue, text, strlen(text), priority));
}

static void receive(void)
{
	char buf[64];
	unsigned priority = 0;
	ssize_t n = mq_receive(queue, buf, sizeof(buf), &priority);
	if (n < 0)
		printf("receive: %s\n", strerrorname_np(errno));
	else
		printf("receive: %u [%.*s]\n", priority, (int)n, buf);
}

static void state(void)
{
	struct mq_attr a;
	must(mq_getattr(queue, &a));
	struct pollfd p = {queue, POLLIN | POLLOUT, 0};
	must(poll(&p, 1, 0));
	printf("flags %lx max %ld size %ld now %ld poll %x\n", a.mq_flags, a.mq_maxmsg,
		a.mq_msgsize, a.mq_curmsgs, p.revents);
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	printf("signal %d code %d value %d from us %d\n", sig, info->si_code,
		info->si_value.sival_int, info->si_pid == getpid());
	told++;
}

static void by_thread(union sigval v)
{
	printf("thread: %d\n", v.sival_int);
	told++;
}

static void *receiver(void *unused)
{
	char buf[64];
	ready = 1;
	ssize_t n = mq_receive(queue, buf, sizeof(buf), NULL);
	printf("woken by %.*s\n", (int)n, buf);
	return NULL;
}

static void on_alarm(int sig, siginfo_t *info, void *context)
{
}

static void errors(void)
{
	struct mq_attr odd = {.mq_maxmsg = 0, .mq_msgsize = 10};
	struct timespec past = {1, 0}, bad = {1, -1};
	char buf[64];
	show(mq_open("no-slash", O_RDONLY));
	show(mq_open("/a/b", O_RDONLY));
	show(mq_open("/not-there", O_RDONLY));
	show(mq_open("/mote-odd", O_RDWR | O_CREAT, 0600, &odd));
	show(mq_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600, NULL));
	show(mq_send(queue, "x", 1, 32768));
	show(mq_send(queue, buf, 33, 0));
	show(mq_receive(queue, buf, 31, NULL));
	show(mq_send(0, "x", 1, 0));
	show(mq_timedreceive(queue, buf, 64, NULL, &past));
	show(mq_timedreceive(queue, buf, 64, NULL, &bad));
	show(mq_unlink("/not-there"));
	mqd_t reader = must(mq_open(NAME, O_RDONLY));
	show(mq_send(reader, "x", 1, 0));
	must(mq_close(reader));
	handle(SIGALRM, on_alarm, 0);
	ualarm(30000, 0);
	show(mq_receive(queue, buf, 64, NULL));
}

static void notifications(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	e.sigev_value.sival_int = 42;
	handle(SIGUSR1, on_signal, 0);
	show(mq_notify(queue, &e));
	show(mq_notify(queue, &e));
	send_text("first", 0);
	printf("told %d\n", told);
	send_text("second", 0);
	receive();
	receive();
	show(mq_notify(queue, &e));
	/* Somebody waits: he gets it, and nobody is told. */
	pthread_t t = start(receiver, NULL);
	while (!ready)
		sched_yield();
	sleep_ms(50);
	must(mq_send(queue, "third", 5, 0));
	pthread_join(t, NULL);
	printf("told %d\n", told);
	show(mq_notify(queue, NULL));
	e.sigev_signo = 99;
	show(mq_notify(queue, &e));
	e = (struct sigevent){.sigev_notify = SIGEV_THREAD};
	e.sigev_notify_function = by_thread;
	e.sigev_value.sival_int = 7;
	show(mq_notify(queue, &e));
	must(mq_send(queue, "fourth", 6, 0));
	while (told < 2)
		sleep_ms(1);
	receive();
}

int main(void)
{
	struct mq_attr a = {.mq_maxmsg = 3, .mq_msgsize = 32}, old;
	mq_unlink(NAME);
	queue = must(mq_open(NAME, O_RDWR | O_CREAT, 0600, &a));
	state();
	errors();
	send_text("low", 1);
	send_text("high", 9);
	send_text("low again", 1);
	state();
	a.mq_flags = O_NONBLOCK;
	show(mq_setattr(queue, &a, &old));
	printf("%lx\n", old.mq_flags);
	send_text("full", 3);
	a.mq_flags = 0;
	show(syscall(SYS_mq_getsetattr, queue, &a, NULL));
	struct timespec past = {1, 0};
	show(mq_timedsend(queue, "late", 4, 0, &past));
	a.mq_flags = O_NONBLOCK;
	must(mq_setattr(queue, &a, NULL));
	for (int i = 0; i < 4; i++)
		receive();
	a.mq_flags = 0;
	must(mq_setattr(queue, &a, NULL));
	notifications();
	show(mq_unlink(NAME));
	send_text("nameless", 0);
	receive();
	show(mq_close(queue));
	show(mq_close(queue));
	show(mq_open(NAME, O_RDONLY));
	return 0;
}
