/* Transparent large pages: contents and permissions survive cutting them in every way. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define PAGE 4096ul
#define LARGE (2ul << 20)
#define N (8 * LARGE / PAGE)

static sigjmp_buf out;

static void on_fault(int s)
{
	siglongjmp(out, s);
}

/* Whether the word can be written, by trying. */
static int writable(volatile uint64_t *p)
{
	int s = sigsetjmp(out, 1);
	if (s == 0)
		*p = *p;
	return s == 0;
}

static uint64_t *word(char *base, size_t i)
{
	return (uint64_t *)(base + i * PAGE + 8 * (i % 500));
}

static char *filled(void)
{
	char *raw = mmap(0, 9 * LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *base = (char *)(((uintptr_t)raw + LARGE - 1) & ~(LARGE - 1));
	if (raw == MAP_FAILED || madvise(base, 8 * LARGE, MADV_HUGEPAGE))
		perror("mmap");
	for (size_t i = 0; i < N; i++)
		*word(base, i) = i + 1;
	return base;
}

static size_t wrong(char *base, size_t from, size_t to, uint64_t shift)
{
	size_t n = 0;
	for (size_t i = from; i < to; i++)
		n += *word(base, i) != i + 1 + shift;
	return n;
}

static size_t not_zero(char *base, size_t from, size_t to)
{
	size_t n = 0;
	for (size_t i = from; i < to; i++)
		n += *word(base, i) != 0;
	return n;
}

static void advice(void)
{
	char *b = filled();
	printf("dontneed %d\n", madvise(b + 100 * PAGE, 50 * PAGE, MADV_DONTNEED));
	printf("before %zu, gone %zu, behind %zu\n", wrong(b, 0, 100, 0), not_zero(b, 100, 150),
		wrong(b, 150, N, 0));
	printf("nohugepage %d\n", madvise(b + LARGE + 7 * PAGE, PAGE, MADV_NOHUGEPAGE));
	printf("free %d\n", madvise(b + 2 * LARGE, LARGE, MADV_FREE));
	printf("others %zu\n", wrong(b, 150, 1024, 0) + wrong(b, 1536, N, 0));
	munmap(b, 8 * LARGE);
}

static void unmap_middle(void)
{
	char *b = filled();
	unsigned char in[4];
	printf("munmap %d\n", munmap(b + 600 * PAGE, 1000 * PAGE));
	printf("before %zu, behind %zu\n", wrong(b, 0, 600, 0), wrong(b, 1600, N, 0));
	printf("hole: mincore %d", mincore(b + 700 * PAGE, PAGE, in));
	printf(" errno %d\n", errno);
	char *again = mmap(b + 600 * PAGE, 1000 * PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	printf("again %d, zero %zu\n", again == b + 600 * PAGE, not_zero(b, 600, 1600));
	munmap(b, 8 * LARGE);
}

static void protect(void)
{
	char *b = filled();
	printf("mprotect %d\n", mprotect(b + 511 * PAGE, 2 * PAGE, PROT_READ));
	for (size_t i = 509; i < 515; i++)
		printf("%zu %s\n", i, writable(word(b, i)) ? "writable" : "not");
	printf("none %d\n", mprotect(b + 4 * LARGE, LARGE, PROT_NONE));
	printf("%s\n", writable(word(b, 4 * 512)) ? "writable" : "not");
	mprotect(b, 8 * LARGE, PROT_READ | PROT_WRITE);
	printf("wrong %zu\n", wrong(b, 0, N, 0));
	munmap(b, 8 * LARGE);
}

static void move(void)
{
	char *b = filled();
	/* To a place that is not aligned, and back to one that is. */
	char *area = mmap(0, 12 * LARGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *odd = (char *)(((uintptr_t)area + LARGE - 1) & ~(LARGE - 1)) + 3 * PAGE;
	char *moved = mremap(b, 8 * LARGE, 8 * LARGE, MREMAP_MAYMOVE | MREMAP_FIXED, odd);
	printf("odd %d, wrong %zu\n", moved == odd, wrong(odd, 0, N, 0));
	char *even = (char *)(((uintptr_t)area + LARGE - 1) & ~(LARGE - 1)) + LARGE;
	char *place = mmap(0, 12 * LARGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	even = (char *)(((uintptr_t)place + LARGE - 1) & ~(LARGE - 1));
	moved = mremap(odd, 8 * LARGE, 8 * LARGE, MREMAP_MAYMOVE | MREMAP_FIXED, even);
	printf("even %d, wrong %zu\n", moved == even, wrong(even, 0, N, 0));
	char *c = filled();
	moved = mremap(
		c + 100 * PAGE, LARGE, LARGE, MREMAP_MAYMOVE | MREMAP_FIXED, even + 12 * PAGE);
	printf("part %d, wrong %zu\n", moved == even + 12 * PAGE,
		wrong(c, 0, 100, 0) + wrong(c, 612, N, 0));
	size_t n = 0;
	for (size_t i = 0; i < 512; i++)
		n += *(uint64_t *)(moved + i * PAGE + 8 * ((i + 100) % 500)) != i + 101;
	printf("moved part wrong %zu\n", n);
	munmap(c, 8 * LARGE);
	munmap(place, 12 * LARGE);
	munmap(area, 12 * LARGE);
}

static void collapse(void)
{
	char *b = filled();
	for (size_t i = 0; i < N; i += 3)
		madvise(b + i * PAGE, PAGE, MADV_DONTNEED);
	int r = madvise(b, 8 * LARGE, MADV_COLLAPSE);
	printf("collapse %s\n", r == 0 || errno == EINVAL || errno == ENOMEM || errno == EAGAIN
					? "answered"
					: "odd");
	size_t n = 0;
	for (size_t i = 0; i < N; i++)
		n += *word(b, i) != (i % 3 ? i + 1 : 0);
	printf("wrong %zu\n", n);
	munmap(b, 8 * LARGE);
}

int main(void)
{
	signal(SIGSEGV, on_fault);
	advice();
	unmap_middle();
	protect();
	move();
	collapse();
	printf("disable %d", prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	printf(" is %d\n", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	char *b = filled();
	printf("wrong %zu\n", wrong(b, 0, N, 0));
	return 0;
}
