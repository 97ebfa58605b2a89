/* The access time with relatime: the first read after a change moves it, the next does not; O_NOATIME never. */
#include "lib/check.h"

static struct timespec before;
static struct stat st;

static bool moved(const char *path)
{
	must(lstat(path, &st));
	bool later = st.st_atim.tv_sec != before.tv_sec || st.st_atim.tv_nsec != before.tv_nsec;
	before = st.st_atim;
	usleep(20000);
	return later;
}

int main(void)
{
	char c[100];
	write_file("f", "contents");
	struct timespec old[2] = {{1000, 0}, {2000, 0}};
	must(utimensat(AT_FDCWD, "f", old, 0));
	moved("f");
	int fd = must(open("f", O_RDONLY)), quiet = must(open("f", O_RDONLY | O_NOATIME));
	is(moved("f"));
	must(read(quiet, c, 3));
	is(moved("f"));
	must(read(fd, c, 3));
	is(moved("f"));
	must(read(fd, c, 3));
	is(moved("f"));
	must(pread(fd, c, 3, 0));
	is(moved("f"));
	must(chmod("f", 0600));
	moved("f");
	must(pread(fd, c, 3, 0));
	is(moved("f"));
	old[0].tv_sec = old[1].tv_sec = time(NULL) - 100000;
	must(utimensat(AT_FDCWD, "f", old, 0));
	moved("f");
	must(pread(fd, c, 1, 0));
	is(moved("f"));
	must(symlink("f", "s"));
	must(utimensat(AT_FDCWD, "s", old, AT_SYMLINK_NOFOLLOW));
	moved("s");
	must(readlink("s", c, sizeof(c)));
	is(moved("s"));
	must(readlink("s", c, sizeof(c)));
	is(moved("s"));
	return 0;
}
