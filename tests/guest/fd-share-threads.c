/* Four threads open, dup and close at once: no descriptor is given twice. */
/* test: cpus=4 */
#include "lib/check.h"

static atomic_int owner[1024];
static atomic_int twice;

static void take(int fd, int id)
{
	int none = 0;
	if (!atomic_compare_exchange_strong(&owner[fd], &none, id))
		twice++;
}

static void give(int fd)
{
	owner[fd] = 0;
	must(close(fd));
}

static void *worker(void *id)
{
	for (int i = 0; i < 3000; i++) {
		int a = must(open("/dev/null", O_RDONLY));
		take(a, (int)(long)id);
		int b = must(dup(a));
		take(b, (int)(long)id);
		int p[2];
		must(pipe(p));
		take(p[0], (int)(long)id);
		take(p[1], (int)(long)id);
		give(a);
		give(p[1]);
		give(b);
		give(p[0]);
	}
	return NULL;
}

int main(void)
{
	pthread_t thread[4];
	for (long i = 0; i < 4; i++)
		thread[i] = start(worker, (void *)(i + 1));
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	printf("%d given twice\n", twice);
	return 0;
}
