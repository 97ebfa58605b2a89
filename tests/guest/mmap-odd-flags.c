/* Flags programs try: MAP_32BIT, MAP_POPULATE, MAP_STACK, MAP_HUGETLB, MAP_SYNC, MAP_SHARED_VALIDATE. */
#include "lib/check.h"
#include <sys/prctl.h>

int main(void)
{
	int anon = MAP_PRIVATE | MAP_ANONYMOUS;
	unsigned char vec[4];
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, anon | MAP_32BIT, -1, 0);
	is(p != MAP_FAILED && (uintptr_t)p < 1ul << 31);
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, anon | MAP_POPULATE, -1, 0);
	must(mincore(p, 4 * PAGE, vec));
	printf("%d %d\n", vec[0] & 1, vec[3] & 1);
	show_ok(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, anon | MAP_STACK | MAP_GROWSDOWN, -1, 0));
	show_ok(mmap(NULL, PAGE, PROT_READ, anon | MAP_LOCKED, -1, 0));
	p = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, anon | MAP_HUGETLB, -1, 0);
	is(p != MAP_FAILED || errno == ENOMEM || errno == EINVAL);
	int fd = must(open("f", O_RDWR | O_CREAT, 0600));
	must(ftruncate(fd, PAGE));
	show_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE, fd, 0));
	show_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0));
	show_ok(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | 0x40000000, fd, 0));
	show_ok(mmap(NULL, PAGE, PROT_NONE, anon, -1, 0));
	p = mmap(NULL, PAGE, PROT_WRITE, anon, -1, 0);
	p[0] = 5;
	printf("%d\n", p[0]);
	show(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	is(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, PAGE, "named") == 0 || errno == EINVAL);
	return 0;
}
