/* A private file mapping copies a page when it is written, and only that page, from four threads at once. */
/* test: cpus=4 */
#include "lib/check.h"

enum { PAGES = 256 };
static char *map;
static pthread_barrier_t gate;

static void *writer(void *id)
{
	pthread_barrier_wait(&gate);
	for (int i = 0; i < PAGES; i += 2)
		map[i * PAGE + (long)id] = (char)(long)id;
	return NULL;
}

int main(void)
{
	char page[PAGE];
	pthread_t thread[4];
	int fd = must(open("f", O_RDWR | O_CREAT, 0600));
	for (int i = 0; i < PAGES; i++) {
		memset(page, 'a' + i % 26, PAGE);
		must(write(fd, page, PAGE));
	}
	map = (char *)must(mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	pthread_barrier_init(&gate, NULL, 4);
	for (long i = 0; i < 4; i++)
		thread[i] = start(writer, (void *)(i + 1));
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	int wrong = 0;
	for (int i = 0; i < PAGES; i++) {
		for (int k = 1; k <= 4; k++)
			wrong += map[i * PAGE + k] != (i % 2 ? 'a' + i % 26 : k);
		wrong += map[i * PAGE + 100] != 'a' + i % 26;
		must(pread(fd, page, PAGE, i * PAGE));
		wrong += page[1] != 'a' + i % 26;
	}
	printf("%d wrong\n", wrong);
	return 0;
}
