/* mkdir and rmdir: link counts, refusals, a removed working directory. */
#include "lib/check.h"

static void links(const char *name)
{
	struct stat st;
	must(stat(name, &st));
	printf("%s: %d links, mode %#o\n", name, (int)st.st_nlink, st.st_mode);
}

int main(void)
{
	char buf[64];
	show(mkdir("d", 0777));
	show(mkdir("d", 0777));
	show(mkdir("d/e/f", 0777));
	show(mkdir("d/e", 01770));
	show(mkdir("d/e/f/", 0700));
	links("d");
	links("d/e");
	show(rmdir("d"));
	show(rmdir("d/e/f/."));
	show(rmdir("d/e/f/.."));
	show(rmdir("d/e/f"));
	links("d/e");
	write_file("d/e/file", "x");
	show(rmdir("d/e/file"));
	show(rmdir("d/e"));
	show(mkdir("d/e/file/x", 0700));
	show(mkdir(".", 0700));
	show(mkdir("/", 0700));
	show(rmdir("/"));
	show(mkdir("", 0700));
	must(mkdir("gone", 0700));
	must(chdir("gone"));
	show(rmdir("../gone"));
	show(open("x", O_CREAT | O_WRONLY, 0600));
	show(mkdir("x", 0700));
	is(getcwd(buf, sizeof(buf)) == NULL && errno == ENOENT);
	show(chdir(".."));
	return 0;
}
