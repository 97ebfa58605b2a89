/* SCHED_FIFO threads run before ordinary ones: a spinning one of them is not interrupted, the more urgent comes first. */
#include "lib/check.h"
#include <sched.h>

static atomic_int order, turn, stop;
static atomic_long counted;

static void urgent(int priority)
{
	struct sched_param p = {priority};
	must(sched_setscheduler(0, priority ? SCHED_FIFO : SCHED_OTHER, &p));
}

static void *counts(void *unused)
{
	urgent(0);
	while (!stop)
		counted++;
	return NULL;
}

static void *comes(void *rank)
{
	urgent((intptr_t)rank);
	while (!turn)
		sched_yield();
	return NULL;
}

static void *waits(void *rank)
{
	urgent((intptr_t)rank);
	sleep_ms(100);
	printf("%d: priority %ld\n", ++order, (long)(intptr_t)rank);
	return NULL;
}

int main(void)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	must(sched_setaffinity(0, sizeof(set), &set));
	(void)comes;
	pthread_t t = start(counts, NULL), sleepers[3];
	sleep_ms(20);
	/* Longer than any slice of ours; within Linux's allowance for real-time threads. */
	urgent(20);
	long before = counted;
	for (uint64_t end = now_ns(CLOCK_MONOTONIC) + 300000000; now_ns(CLOCK_MONOTONIC) < end;)
		;
	is(counted == before);
	/* They wake while this one spins above them, and run by rank when it sleeps. */
	urgent(50);
	for (int i = 0; i < 3; i++)
		sleepers[i] = start(waits, (void *)(intptr_t)(10 + 5 * i));
	sleep_ms(30);
	for (uint64_t end = now_ns(CLOCK_MONOTONIC) + 300000000; now_ns(CLOCK_MONOTONIC) < end;)
		;
	for (int i = 0; i < 3; i++)
		pthread_join(sleepers[i], NULL);
	stop = 1;
	urgent(0);
	pthread_join(t, NULL);
	is(counted > before);
	return 0;
}
