/* Closing a descriptor another thread blocks on: the reader is woken by data or end, never hangs the program. */
/* test: cpus=2 */
#include "lib/net.h"

static int fd[2];

static void *reader(void *unused)
{
	char c;
	return (void *)(long)read(fd[0], &c, 1);
}

int main(void)
{
	void *result;
	must(pipe(fd));
	pthread_t thread = start(reader, NULL);
	sleep_ms(300);
	must(close(fd[0]));
	must(write(fd[1], "x", 1)); /* the reader still holds its end */
	pthread_join(thread, &result);
	printf("pipe: %ld\n", (long)result);
	tcp_pair(fd);
	thread = start(reader, NULL);
	sleep_ms(300);
	must(close(fd[0]));
	must(write(fd[1], "x", 1));
	pthread_join(thread, &result);
	printf("tcp: %ld\n", (long)result);
	return 0;
}
