/* Ways of copying inside the kernel: sendfile to a pipe and a file, splice, copy_file_range. */
#include "lib/check.h"
#include <sys/sendfile.h>

int main(void)
{
	int fd[2];
	char text[40000], back[40000];
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = 'a' + i % 26;
	int in = must(open("in", O_RDWR | O_CREAT | O_TRUNC, 0644)),
	    out = must(open("out", O_RDWR | O_CREAT | O_TRUNC, 0644));
	must(write(in, text, sizeof(text)));
	must(pipe(fd));
	off_t from = 10;
	show(sendfile(fd[1], in, &from, 30000));
	printf("%ld\n", (long)from);
	show(read(fd[0], back, sizeof(back)));
	is(memcmp(back, text + 10, 30000) == 0);
	show(lseek(in, 0, SEEK_CUR));
	show(lseek(in, 39990, SEEK_SET));
	show(sendfile(out, in, NULL, 100));
	show(sendfile(out, in, NULL, 100));
	show(lseek(in, 0, SEEK_CUR));
	show(sendfile(out, 99, NULL, 1));
	show(sendfile(out, fd[0], NULL, 1));
	off_t negative = -1;
	show(sendfile(out, in, &negative, 1));
	show(pread(out, back, sizeof(back), 0));
	is(memcmp(back, text + 39990, 10) == 0);
	return 0;
}
