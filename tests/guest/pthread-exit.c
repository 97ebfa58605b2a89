/* Ends of threads: main leaves first, the last thread's end ends the program with status 0. */
#include "lib/check.h"

static pthread_key_t key;

static void destructor(void *value)
{
	printf("destructor: %s\n", (char *)value);
}

static void *last(void *unused)
{
	pthread_setspecific(key, "last");
	sleep_ms(100);
	puts("the last thread says goodbye");
	return (void *)77;
}

static void at_exit(void)
{
	puts("atexit");
}

int main(void)
{
	pthread_key_create(&key, destructor);
	atexit(at_exit);
	start(last, NULL);
	puts("main leaves");
	pthread_exit((void *)5);
}
