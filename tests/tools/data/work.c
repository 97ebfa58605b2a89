/* Known shares of time: twice as much in heavy() as in light(), and some in the kernel. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned long sum;

__attribute__((noinline)) static void spin(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		sum += i;
}

__attribute__((noinline)) static void light(void)
{
	spin(200000);
	sum++;
}

__attribute__((noinline)) static void heavy(void)
{
	spin(400000);
	sum++;
}

__attribute__((noinline)) static void ask_kernel(void)
{
	for (int i = 0; i < 1000; i++)
		(void)!write(-1, "", 0);
	sum++;
}

static void *worker(void *unused)
{
	time_t end = time(NULL) + 4;

	while (time(NULL) < end) {
		light();
		heavy();
		ask_kernel();
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t t;

	if (argc > 1) {
		printf("waiting\n");
		fflush(stdout);
		for (;;)
			worker(argv);
	}
	pthread_create(&t, NULL, worker, NULL);
	pthread_join(t, NULL);
	puts("done");
	return 3;
}
