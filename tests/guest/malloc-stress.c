/* malloc from four threads: sizes from bytes to megabytes, contents checked. */
/* test: cpus=4 memory=256M */
#include "lib/check.h"

static void *worker(void *seed_p)
{
	unsigned seed = (uintptr_t)seed_p;
	unsigned char *block[64] = {0};
	size_t size[64] = {0};
	long wrong = 0;
	for (int n = 0; n < 4000; n++) {
		seed = seed * 1664525 + 1013904223;
		int i = seed >> 26;
		if (block[i])
			wrong += block[i][0] != i || block[i][size[i] - 1] != i;
		free(block[i]);
		size[i] = 1 + (seed >> 8) % (n % 50 == 0 ? 1 << 20 : 4000);
		block[i] = malloc(size[i]);
		memset(block[i], i, size[i]);
	}
	for (int i = 0; i < 64; i++)
		free(block[i]);
	return (void *)wrong;
}

int main(void)
{
	pthread_t thread[4];
	for (long i = 0; i < 4; i++)
		thread[i] = start(worker, (void *)(i + 1));
	for (int i = 0; i < 4; i++) {
		void *wrong;
		pthread_join(thread[i], &wrong);
		printf("%ld wrong\n", (long)wrong);
	}
	return 0;
}
