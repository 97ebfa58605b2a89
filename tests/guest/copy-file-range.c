/* copy_file_range(2): positions and offsets, the end of the file, holes' zeroes, overlap, and what it refuses. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SHOW(call) show(#call, call)

static void show(const char *text, long result)
{
	printf("%s = %ld %s\n", text, result, result < 0 ? strerrorname_np(errno) : "");
}

static void contents(int fd)
{
	char text[100];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	for (ssize_t i = 0; i < n; i++)
		putchar(text[i] ? text[i] : '0');
	printf(" (%zd, position %ld)\n", n, (long)lseek(fd, 0, SEEK_CUR));
}

static void copies(int in, int out)
{
	off_t from = 3, to = 6, far = 1000;
	SHOW(copy_file_range(in, NULL, out, NULL, 4, 0));
	contents(out);
	SHOW(copy_file_range(in, &from, out, &to, 5, 0));
	printf("%ld %ld, position %ld\n", (long)from, (long)to, (long)lseek(in, 0, SEEK_CUR));
	contents(out);
	SHOW(copy_file_range(in, NULL, out, NULL, 1000, 0));
	SHOW(copy_file_range(in, NULL, out, NULL, 1000, 0));
	contents(out);
	SHOW(copy_file_range(in, &far, out, NULL, 10, 0));
	SHOW(copy_file_range(in, NULL, out, NULL, 0, 0));
	from = 0, to = 40;
	SHOW(copy_file_range(in, &from, out, &to, 3, 0));
	contents(out);
}

static void same_file(int fd)
{
	off_t from = 0, to = 5;
	SHOW(copy_file_range(fd, &from, fd, &to, 6, 0));
	from = 0, to = 5;
	SHOW(copy_file_range(fd, &from, fd, &to, 5, 0));
	contents(fd);
}

static void refused(int in, int out)
{
	int pipes[2], append = open("/tmp/copy-append", O_WRONLY | O_CREAT | O_APPEND, 0600);
	int only_write = open("/tmp/copy-append", O_WRONLY), dir = open("/tmp", O_RDONLY);
	int only_read = open("/tmp/copy-append", O_RDONLY);
	off_t negative = -1, at = 0;
	if (pipe(pipes))
		return;
	SHOW(copy_file_range(in, NULL, out, NULL, 4, 1));
	SHOW(copy_file_range(in, NULL, append, NULL, 4, 0));
	SHOW(copy_file_range(only_write, NULL, out, NULL, 4, 0));
	SHOW(copy_file_range(in, NULL, only_read, NULL, 4, 0));
	SHOW(copy_file_range(pipes[0], NULL, out, NULL, 4, 0));
	SHOW(copy_file_range(in, NULL, pipes[1], NULL, 4, 0));
	SHOW(copy_file_range(dir, NULL, out, NULL, 4, 0));
	SHOW(copy_file_range(-1, NULL, out, NULL, 4, 0));
	SHOW(copy_file_range(in, NULL, 999, NULL, 4, 0));
	SHOW(copy_file_range(in, &negative, out, NULL, 4, 0));
	SHOW(copy_file_range(in, &at, out, &negative, 4, 0));
	negative = -100;
	SHOW(copy_file_range(in, &negative, out, NULL, 4, 0));
	SHOW(copy_file_range(in, &at, out, NULL, (size_t)-1, 0));
	SHOW(copy_file_range(in, &at, dir, NULL, 4, 0));
	SHOW(copy_file_range(in, (off_t *)8, out, NULL, 4, 0));
	SHOW(copy_file_range(in, NULL, out, (off_t *)8, 4, 0));
	unlink("/tmp/copy-append");
}

int main(void)
{
	int in = memfd_create("in", 0), out = memfd_create("out", 0);
	if (write(in, "0123456789abcdef", 16) != 16)
		return 1;
	lseek(in, 0, SEEK_SET);
	copies(in, out);
	same_file(in);
	refused(in, out);
	return 0;
}
