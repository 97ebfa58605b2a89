/* Two thousand files in one directory and a tree sixty deep: made, found, removed. */
#include "lib/check.h"

int main(void)
{
	char name[64], buf[16];
	int wrong = 0;
	must(mkdir("d", 0755));
	for (int i = 0; i < 2000; i++) {
		sprintf(name, "d/file-%d", i);
		sprintf(buf, "%d", i * 7);
		write_file(name, buf);
	}
	for (int i = 1999; i >= 0; i--) {
		sprintf(name, "d/file-%d", i);
		int fd = must(open(name, O_RDONLY));
		memset(buf, 0, sizeof(buf));
		must(read(fd, buf, sizeof(buf)));
		wrong += atoi(buf) != i * 7;
		close(fd);
		wrong += unlink(name) != 0;
	}
	printf("%d wrong\n", wrong);
	show(rmdir("d"));
	for (int i = 0; i < 60; i++) {
		must(mkdir("deep", 0755));
		must(chdir("deep"));
	}
	write_file("bottom", "reached");
	for (int i = 0; i < 60; i++)
		must(chdir(".."));
	char path[400] = "";
	for (int i = 0; i < 60; i++)
		strcat(path, "deep/");
	strcat(path, "bottom");
	int fd = must(open(path, O_RDONLY));
	printf("%ld\n", must(read(fd, buf, sizeof(buf))));
	return 0;
}
