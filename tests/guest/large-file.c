/* A file of 64 MB written in odd pieces, read back whole and through a mapping. */
/* test: memory=256M */
#include "lib/check.h"

enum { SIZE = 64 << 20, PIECE = 65537 };

int main(void)
{
	static unsigned char buf[PIECE];
	uint64_t sum = 0, back = 0, mapped = 0;
	int fd = must(open("large", O_RDWR | O_CREAT | O_TRUNC, 0644));
	for (long at = 0; at < SIZE;) {
		long n = SIZE - at < PIECE ? SIZE - at : PIECE;
		for (long i = 0; i < n; i++)
			sum += buf[i] = (at + i) * 2654435761u >> 24;
		at += must(write(fd, buf, n));
	}
	struct stat st;
	must(fstat(fd, &st));
	printf("size %ld\n", (long)st.st_size);
	must(lseek(fd, 0, SEEK_SET));
	for (long n; (n = read(fd, buf, 40961)) > 0;)
		for (long i = 0; i < n; i++)
			back += buf[i];
	unsigned char *p = (unsigned char *)must(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0));
	for (long i = 0; i < SIZE; i++)
		mapped += p[i];
	printf("%s %s\n", back == sum ? "same" : "different", mapped == sum ? "same" : "different");
	show(unlink("large"));
	return 0;
}
