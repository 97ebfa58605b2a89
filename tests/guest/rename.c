/* rename: over files, directories, into itself, and RENAME_NOREPLACE and EXCHANGE. */
#include "lib/check.h"

int main(void)
{
	must(mkdir("d", 0755));
	must(mkdir("e", 0755));
	must(mkdir("d/sub", 0755));
	write_file("a", "text a");
	write_file("b", "text b");
	int fd = must(open("b", O_RDONLY));
	show(rename("a", "b"));
	show_file("a");
	show_file("b");
	char buf[16] = "";
	must(read(fd, buf, 6));
	printf("the old one, still open: %s\n", buf);
	show(rename("b", "d"));
	show(rename("d", "b"));
	show(rename("d", "d/sub/x"));
	show(rename("e", "d"));
	show(rename("d", "e"));
	show(access("e/sub", F_OK));
	show(rename("b", "e/sub/b"));
	show_file("e/sub/b");
	show(rename("absent", "x"));
	show(rename("e/sub/b", "absent/x"));
	show(rename("e/sub/b", "e/sub/b"));
	show(link("e/sub/b", "hard"));
	show(rename("hard", "e/sub/b"));
	show(access("hard", F_OK));
	show(rename(".", "x"));
	show(rename("e/.", "x"));
	show(rename("e/sub/..", "x"));
	write_file("other", "text other");
	show(renameat2(AT_FDCWD, "hard", AT_FDCWD, "other", RENAME_NOREPLACE));
	show(renameat2(AT_FDCWD, "hard", AT_FDCWD, "other", RENAME_EXCHANGE));
	show_file("hard");
	show_file("other");
	show(renameat2(AT_FDCWD, "hard", AT_FDCWD, "other", 0x70));
	show(rename("e", "e/"));
	show(rename("other", "e/new/"));
	show(rename("", "x"));
	return 0;
}
