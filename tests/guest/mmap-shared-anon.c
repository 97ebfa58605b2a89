/* Shared anonymous memory: all threads see it, and /dev/zero mapped shared is the same. */
/* test: cpus=2 */
#include "lib/check.h"

static void *writer(void *p)
{
	strcpy(p, "from the other thread");
	return NULL;
}

int main(void)
{
	char *p = map_pages(2, PROT_READ | PROT_WRITE, MAP_SHARED);
	pthread_join(start(writer, p + PAGE), NULL);
	printf("%d [%s]\n", p[0], p + PAGE);
	int fd = must(open("/dev/zero", O_RDWR));
	char *z = (char *)must(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	z[5] = 'x';
	printf("%d %c\n", z[4], z[5]);
	z = (char *)must(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	printf("%d\n", z[5]);
	return 0;
}
