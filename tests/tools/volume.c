/* Numbers the lines of a file: "volume append FILE N" adds N of them, each on the disk before the next, and tells the
 * last; "volume show FILE" tells how many there are; "volume fill FILE" writes until it can not, and says why. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int append(const char *path, int n)
{
	FILE *f = fopen(path, "a");
	for (int i = 1; f && (n == 0 || i <= n); i++) {
		if (fprintf(f, "line %d\n", i) < 0 || fflush(f) || fsync(fileno(f)))
			return 2;
		if (n == 0 || i == n)
			printf("wrote %d\n", i);
		fflush(stdout);
	}
	return f ? 0 : 1;
}

static int show(const char *path)
{
	FILE *f = fopen(path, "r");
	int n = 0, line;
	while (f && fscanf(f, "line %d\n", &line) == 1)
		if (line != ++n)
			return 3;
	printf("%d lines\n", n);
	return f ? 0 : 1;
}

static int fill(const char *path)
{
	static char block[65536];
	memset(block, 'x', sizeof(block));
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	int err = fd < 0 ? errno : 0;
	while (!err)
		if (write(fd, block, sizeof(block)) < 0 || fsync(fd) < 0)
			err = errno;
	printf("%s\n", strerror(err));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 1;
	int status = strcmp(argv[1], "append") == 0 ? append(argv[2], atoi(argv[3]))
		     : strcmp(argv[1], "show") == 0 ? show(argv[2])
						    : fill(argv[2]);
	if (status)
		fprintf(stderr, "%s %s: %s\n", argv[1], argv[2], strerror(errno));
	return status;
}
