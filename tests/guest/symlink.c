/* Symbolic links: relative, absolute, chained, in the middle; loops and lengths. */
#include "lib/check.h"

int main(void)
{
	char buf[64] = "", name[300], target[5000];
	must(mkdir("d", 0755));
	write_file("d/f", "found");
	must(symlink("d/f", "one"));
	must(symlink("one", "two"));
	must(symlink("../d", "d/up"));
	show_file("two");
	show_file("d/up/up/up/f");
	show(readlink("two", buf, sizeof(buf)));
	show(readlink("two", buf, 2));
	show(readlink("d", buf, sizeof(buf)));
	show(readlink("two", buf, 0));
	must(symlink("loop", "loop"));
	must(symlink("ping", "pong"));
	must(symlink("pong", "ping"));
	show(open("loop", O_RDONLY));
	show(open("ping/x", O_RDONLY));
	struct stat st;
	show(stat("ping", &st));
	show(lstat("ping", &st));
	printf("%#o size %ld\n", st.st_mode, (long)st.st_size);
	must(symlink("d/f", "chain0"));
	for (int i = 1; i <= 41; i++) {
		sprintf(name, "chain%d", i);
		sprintf(buf, "chain%d", i - 1);
		must(symlink(buf, name));
	}
	show_ok(open("chain38", O_RDONLY));
	show_ok(open("chain39", O_RDONLY));
	show(open("chain40", O_RDONLY));
	show(symlink("x", "one"));
	show(symlink("", "empty"));
	memset(target, 'a', sizeof(target));
	target[4095] = 0;
	show(symlink(target, "long"));
	show(open("long", O_RDONLY));
	target[4095] = 'a';
	target[4096] = 0;
	show(symlink(target, "longer"));
	memset(name, 'n', sizeof(name));
	name[255] = 0;
	show(symlink("x", name));
	name[255] = 'n';
	name[256] = 0;
	show(symlink("x", name));
	show(open(target, O_RDONLY));
	show(unlink("one"));
	show(open("two", O_RDONLY));
	show(unlink("ping"));
	return 0;
}
