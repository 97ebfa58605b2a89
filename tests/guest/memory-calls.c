/* madvise, mremap, remap_file_pages, mlock, mincore and odd flags of mmap: what each says and does. */
#include "lib/check.h"
#include <sys/resource.h>

#define PAGES(n) ((n)*4096ul)

static char *fresh(size_t n)
{
	char *p = mmap(0, PAGES(n), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 7, PAGES(n));
	return p;
}

/* 0, or the errno. */
static int result(long r)
{
	return r == -1 ? errno : 0;
}

static int refused(void *p)
{
	return p == MAP_FAILED ? errno : 0;
}

static void move(char *shared)
{
	char *p = fresh(8),
	     *q = mremap(p, PAGES(8), PAGES(8), MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
	printf("dontunmap: moved %d, old %d, new %d\n", q != p, p[0], q[PAGES(5)]);
	char *room = mmap(0, PAGES(8), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *r = mremap(
		q, PAGES(8), PAGES(8), MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, room);
	printf("fixed: there %d, old %d, new %d\n", r == room, q[PAGES(1)], r[PAGES(1)]);
	printf("smaller %d\n",
		refused(mremap(q, PAGES(8), PAGES(4), MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0)));
	printf("may not move %d\n", refused(mremap(q, PAGES(8), PAGES(8), MREMAP_DONTUNMAP, 0)));
	printf("larger %d\n",
		refused(mremap(q, PAGES(8), PAGES(16), MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0)));
	printf("private again %d\n", refused(mremap(q, 0, PAGES(8), MREMAP_MAYMOVE)));
	char *again = mremap(shared, 0, PAGES(8), MREMAP_MAYMOVE);
	again[PAGES(1)] = 99;
	printf("shared again: %d, seen %d\n", again != shared, shared[PAGES(1)]);
	char *twice = mremap(again, PAGES(8), PAGES(8), MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
	printf("shared dontunmap: %d %d %d\n", twice != again, twice[PAGES(1)], again[PAGES(1)]);
}

static void remap_file(char *shared, char *private)
{
	for (int i = 0; i < 8; i++)
		shared[PAGES(i)] = (char)i;
	printf("%d ", result(syscall(SYS_remap_file_pages, shared, PAGES(2), 0, 4, 0)));
	printf("%d %d %d\n", shared[0], shared[PAGES(1)], shared[PAGES(2)]);
	shared[0] = 77;
	printf("through the other %d\n", shared[PAGES(4)]);
	printf("private %d\n", result(syscall(SYS_remap_file_pages, private, PAGES(1), 0, 0, 0)));
	printf("prot %d\n", result(syscall(SYS_remap_file_pages, shared, PAGES(1), 1, 0, 0)));
}

static void odd_maps(int fd)
{
	const int rw = PROT_READ | PROT_WRITE, anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
	printf("sync %d\n", refused(mmap(0, PAGES(1), rw, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0)));
	printf("unknown, validated %d\n",
		refused(mmap(0, PAGES(1), rw, MAP_SHARED_VALIDATE | 0x40000000, fd, 0)));
	printf("unknown %d\n", refused(mmap(0, PAGES(1), rw, MAP_SHARED | 0x40000000, fd, 0)));
	printf("hugetlb %d\n", refused(mmap(0, 2 << 20, rw, anonymous | MAP_HUGETLB, -1, 0)));
	printf("hugetlb of a file %d\n",
		refused(mmap(0, PAGES(1), rw, MAP_PRIVATE | MAP_HUGETLB, fd, 0)));
	printf("terabyte, no reserve %d\n",
		refused(mmap(0, 1ul << 40, rw, anonymous | MAP_NORESERVE, -1, 0)));
	printf("16 terabytes %d\n", refused(mmap(0, 1ul << 44, rw, anonymous, -1, 0)));
	printf("shared %d\n", refused(mmap(0, 1ul << 44, rw, MAP_SHARED | MAP_ANONYMOUS, -1, 0)));
	char *p = mmap(0, 1ul << 44, PROT_READ, anonymous, -1, 0);
	printf("read only %d\n", refused(p));
	printf("then writable %d\n", result(mprotect(p, 1ul << 44, rw)));
	printf("a part %d\n", result(mprotect(p, 1ul << 24, rw)));
	printf("nothing at all %d\n", refused(mmap(0, 1ul << 44, PROT_NONE, anonymous, -1, 0)));
	p = mmap(0, PAGES(1), rw, anonymous | MAP_32BIT, -1, 0);
	printf("32 bit %d\n", p != MAP_FAILED && (unsigned long)p < 1ul << 31);
	p = mmap(0, PAGES(16), rw, anonymous | MAP_GROWSDOWN, -1, 0);
	p[0] = 1;
	printf("grows down %d\n", refused(p));
}

static void advise(char *shared)
{
	for (int a = 0; a < 26; a++) {
		char *p = fresh(2);
		int err = result(madvise(p, PAGES(2), a));
		printf("%d: private %d", a, err);
		if (a != MADV_FREE)
			printf(" byte %d", p[0]);
		shared[0] = 7;
		err = result(madvise(shared, PAGES(2), a));
		printf(", shared %d byte %d\n", err, shared[0]);
	}
	char *l = fresh(4);
	printf("mlock %d\n", result(mlock(l, PAGES(4))));
	printf("dontneed %d, locked too %d\n", result(madvise(l, PAGES(1), MADV_DONTNEED)),
		result(madvise(l, PAGES(1), 24)));
	printf("free %d, pageout %d\n", result(madvise(l, PAGES(1), MADV_FREE)),
		result(madvise(l, PAGES(1), 21)));
	printf("munlock %d\n", result(munlock(l, PAGES(4))));
	printf("dontneed %d\n", result(madvise(l, PAGES(1), MADV_DONTNEED)));
	printf("mlock2 %d\n", result(syscall(SYS_mlock2, l, PAGES(1), 1)));
	printf("nothing %d, odd %d, too long %d\n", result(madvise(0, 0, MADV_DONTNEED)),
		result(madvise(l + 1, PAGES(1), MADV_DONTNEED)),
		result(madvise(l, (size_t)-1, MADV_DONTNEED)));
}

static void resident(void)
{
	unsigned char in[4];
	char *p = mmap(0, PAGES(4), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise(p, PAGES(4), MADV_NOHUGEPAGE);
	p[PAGES(1)] = 1;
	printf("mincore %d", result(mincore(p, PAGES(4), in)));
	printf(": %d %d %d\n", in[0] & 1, in[1] & 1, in[2] & 1);
	printf("odd %d, nothing there %d, bad %d\n", result(mincore(p + 1, PAGES(1), in)),
		result(mincore((void *)PAGES(1), PAGES(1), in)),
		result(mincore(p, PAGES(4), (void *)8)));
	mlockall(MCL_FUTURE | MCL_ONFAULT);
	p = mmap(0, PAGES(2), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mincore(p, PAGES(2), in);
	printf("locked on fault: %d\n", in[0] & 1);
	mlockall(MCL_FUTURE);
	p = mmap(0, PAGES(2), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mincore(p, PAGES(2), in);
	printf("locked: %d\n", in[0] & 1);
	munlockall();
}

int main(void)
{
	int fd = memfd_create("memory", 0);
	if (ftruncate(fd, PAGES(8)))
		return 1;
	char *shared = mmap(0, PAGES(8), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memset(shared, 9, PAGES(8));
	move(shared);
	remap_file(shared, fresh(2));
	odd_maps(fd);
	char *other = mmap(0, PAGES(8), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	advise(other);
	resident();
	return 0;
}
