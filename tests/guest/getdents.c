/* Directories are read whole, in small pieces, rewound, and while entries come and go. */
#include "lib/check.h"
#include <dirent.h>

static int compare(const void *a, const void *b)
{
	return strcmp(*(char **)a, *(char **)b);
}

static void list(DIR *dir)
{
	char *name[64];
	int n = 0;
	for (struct dirent *e; (e = readdir(dir));) {
		name[n] = malloc(300);
		sprintf(name[n++], "%s/%d", e->d_name, e->d_type);
	}
	qsort(name, n, sizeof(*name), compare);
	for (int i = 0; i < n; i++)
		printf("%s ", name[i]);
	puts("");
}

int main(void)
{
	char name[32], buf[256];
	must(mkdir("d", 0755));
	must(mkdir("d/sub", 0755));
	must(symlink("x", "d/link"));
	must(mkfifo("d/fifo", 0600));
	write_file("d/file", "");
	DIR *dir = opendir("d");
	list(dir);
	write_file("d/new", "");
	rewinddir(dir);
	list(dir);
	closedir(dir);
	must(mkdir("many", 0755));
	for (int i = 0; i < 1000; i++) {
		sprintf(name, "many/entry-%04d", i);
		write_file(name, "");
	}
	int fd = must(open("many", O_RDONLY)), count = 0, calls = 0;
	static char seen[1000];
	for (long n; (n = must(syscall(SYS_getdents64, fd, buf, sizeof(buf)))) > 0; calls++)
		for (long at = 0; at < n;) {
			struct dirent64 *e = (void *)(buf + at);
			count += e->d_name[0] != '.' && !seen[atoi(e->d_name + 6)]++;
			at += e->d_reclen;
		}
	printf("%d different\n", count);
	is(calls > 100);
	dir = opendir("many");
	count = 0;
	for (struct dirent *e; (e = readdir(dir));)
		count += e->d_name[0] != '.' && unlinkat(dirfd(dir), e->d_name, 0) == 0;
	printf("%d removed\n", count);
	closedir(dir);
	show(rmdir("many"));
	show(syscall(SYS_getdents64, fd, buf, sizeof(buf)));
	int file = must(open("d/file", O_RDONLY));
	show(syscall(SYS_getdents64, file, buf, sizeof(buf)));
	fd = must(open("d", O_RDONLY));
	show(syscall(SYS_getdents64, fd, buf, 8));
	show(syscall(SYS_getdents64, fd, wild(), 1000));
	show(read(fd, buf, 10));
	return 0;
}
