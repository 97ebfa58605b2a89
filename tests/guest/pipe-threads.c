/* Two writers and two readers through one pipe on four CPUs: ten megabytes, every byte once. */
/* test: cpus=4 */
#include "lib/check.h"

enum { WRITES = 20000, SIZE = 256 };
static int fd[2];
static atomic_long sum, bytes;

static void *writer(void *id)
{
	unsigned char buf[SIZE];
	memset(buf, (int)(long)id, SIZE);
	for (int i = 0; i < WRITES; i++)
		must(write(fd[1], buf, SIZE));
	return NULL;
}

static void *reader(void *unused)
{
	unsigned char buf[5000];
	long n, total = 0, mine = 0;
	while ((n = read(fd[0], buf, sizeof(buf))) > 0) {
		total += n;
		for (int i = 0; i < n; i++)
			mine += buf[i];
	}
	atomic_fetch_add(&sum, mine);
	atomic_fetch_add(&bytes, total);
	return NULL;
}

int main(void)
{
	must(pipe(fd));
	pthread_t w[2] = {start(writer, (void *)1), start(writer, (void *)3)};
	pthread_t r[2] = {start(reader, NULL), start(reader, NULL)};
	pthread_join(w[0], NULL);
	pthread_join(w[1], NULL);
	close(fd[1]);
	pthread_join(r[0], NULL);
	pthread_join(r[1], NULL);
	printf("%ld bytes, sum %ld\n", bytes, sum);
	return 0;
}
