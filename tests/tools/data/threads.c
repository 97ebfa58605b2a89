/* For gdb: three threads, a call with a result, a variable that changes. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

int counter;

static void *worker(void *arg)
{
	for (int i = 0; i < 3; i++) {
		__atomic_fetch_add(&counter, (int)(long)arg, __ATOMIC_SEQ_CST);
		usleep(1000);
	}
	return NULL;
}

int square(int x)
{
	int y = x * x;
	return y;
}

int main(void)
{
	pthread_t t[3];
	double d = 2.5;

	for (long i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, worker, (void *)(i + 1));
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	printf("%d %d %.1f\n", counter, square(7), d);
	return 3;
}
