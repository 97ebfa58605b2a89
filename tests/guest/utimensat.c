/* Times of files: set, now, omitted, moved by writing; links have their own. */
#include "lib/check.h"
#include <utime.h>

static void times_of(const char *name)
{
	struct stat st;
	must(lstat(name, &st));
	printf("%s: %ld.%09ld %ld.%09ld\n", name, st.st_atim.tv_sec, st.st_atim.tv_nsec,
		st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

int main(void)
{
	struct timespec t[2] = {{1000000000, 123456789}, {1100000000, 987654321}};
	struct stat st, later;
	write_file("f", "x");
	show(utimensat(AT_FDCWD, "f", t, 0));
	times_of("f");
	t[0].tv_nsec = UTIME_OMIT;
	t[1].tv_nsec = 5;
	show(utimensat(AT_FDCWD, "f", t, 0));
	times_of("f");
	must(symlink("f", "s"));
	t[0] = t[1] = (struct timespec){5, 6};
	show(utimensat(AT_FDCWD, "s", t, AT_SYMLINK_NOFOLLOW));
	times_of("s");
	times_of("f");
	int fd = must(open("f", O_RDWR));
	show(futimens(fd, NULL));
	must(fstat(fd, &st));
	is(st.st_mtime > 1600000000 && st.st_mtime == st.st_atime);
	must(futimens(fd, t));
	must(write(fd, "y", 1));
	must(fstat(fd, &st));
	is(st.st_mtime > 1600000000 && st.st_atime == 5 && st.st_ctime > 1600000000);
	must(mkdir("d", 0755));
	must(utimensat(AT_FDCWD, "d", t, 0));
	write_file("d/new", "");
	must(stat("d", &later));
	is(later.st_mtime > 1600000000);
	t[0].tv_nsec = 1000000000;
	show(utimensat(AT_FDCWD, "f", t, 0));
	show(utimensat(AT_FDCWD, "absent", NULL, 0));
	show(utime("f", &(struct utimbuf){7, 8}));
	times_of("f");
	show(utimes("f", (struct timeval[]){{9, 10}, {11, 12}}));
	times_of("f");
	return 0;
}
