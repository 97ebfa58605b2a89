/* /proc/self/maps tells true addresses, rights, offsets and names. */
#include "lib/check.h"

static char line[1024];
static unsigned long from, to, offset;
static char rights[8], name[512];

static int find(const void *address)
{
	FILE *f = fopen("/proc/self/maps", "r");
	while (f && fgets(line, sizeof(line), f)) {
		name[0] = 0;
		if (sscanf(line, "%lx-%lx %4s %lx %*s %*s %511[^\n]", &from, &to, rights, &offset,
			    name) < 4)
			printf("cannot read: %s", line);
		if ((unsigned long)address >= from && (unsigned long)address < to) {
			fclose(f);
			return 1;
		}
	}
	if (f)
		fclose(f);
	return 0;
}

static void describe(const char *what, const void *address)
{
	if (!find(address)) {
		printf("%s: not there\n", what);
		return;
	}
	char *slash = strrchr(name, '/');
	printf("%s: %s %s\n", what, rights, slash && name[0] == '/' ? slash + 1 : name);
}

static int variable = 5;

int main(void)
{
	describe("code", main);
	describe("data", &variable);
	describe("stack", __builtin_frame_address(0));
	char *p = map_pages(3, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	must(mprotect(p + PAGE, PAGE, PROT_NONE));
	describe("middle", p + PAGE);
	is(from == (unsigned long)p + PAGE && to == (unsigned long)p + 2 * PAGE);
	write_file("f", "x");
	int fd = must(open("f", O_RDWR));
	must(ftruncate(fd, 4 * PAGE));
	char *q = (char *)must(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 2 * PAGE));
	describe("file", q);
	printf("offset %#lx\n", offset);
	must(munmap(p, PAGE));
	describe("unmapped", p);
	describe("heap", sbrk(0) - 8);
	is(access("/proc/self/smaps", R_OK) == 0);
	return 0;
}
