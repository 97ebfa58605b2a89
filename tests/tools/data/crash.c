/* For core files: two threads asleep, memory that was changed, and a wild pointer. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *message = "hello core";
char buffer[64];

static void *sleeper(void *arg)
{
	pause();
	return arg;
}

__attribute__((noinline)) void crash(int *p)
{
	*p = 1;
}

int main(int argc, char **argv)
{
	pthread_t t;
	char *big = malloc(100 << 20);

	strcpy(buffer, "modified");
	big[50 << 20] = 7;
	for (int i = 0; i < 2; i++)
		pthread_create(&t, NULL, sleeper, NULL);
	usleep(50000);
	if (argc > 1)
		pause();
	crash((int *)16);
	return *argv[0];
}
