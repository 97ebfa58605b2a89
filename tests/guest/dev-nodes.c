/* The device nodes: null, zero, full, urandom, random, tty names, stdin and its kin, fd, shm. */
#include "lib/check.h"

int main(void)
{
	char buf[64];
	memset(buf, 'x', sizeof(buf));
	int null = must(open("/dev/null", O_RDWR)), zero = must(open("/dev/zero", O_RDWR)),
	    full = must(open("/dev/full", O_RDWR));
	show(read(null, buf, 10));
	show(write(null, buf, 10));
	show(read(zero, buf, 10));
	printf("%d %c\n", buf[0] + buf[9], buf[10]);
	show(write(zero, buf, 10));
	show(write(full, buf, 10));
	show(read(full, buf, 10));
	int random = must(open("/dev/urandom", O_RDONLY));
	memset(buf, 0, sizeof(buf));
	show(read(random, buf, 64));
	int zeros = 0;
	for (int i = 0; i < 64; i++)
		zeros += buf[i] == 0;
	is(zeros < 10);
	random = must(open("/dev/random", O_RDONLY | O_NONBLOCK));
	show(read(random, buf, 16));
	show(ftruncate(null, 0));
	show_ok(open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0666));
	char link[64] = "";
	must(readlink("/dev/fd", link, sizeof(link)));
	puts(link);
	memset(link, 0, sizeof(link));
	must(readlink("/dev/stdout", link, sizeof(link)));
	puts(link);
	struct stat st;
	must(stat("/dev/shm", &st));
	printf("%#o\n", st.st_mode);
	int shm = shm_open("/mine", O_RDWR | O_CREAT, 0600);
	is(shm >= 0 && ftruncate(shm, 100) == 0);
	show(shm_unlink("/mine"));
	show(open("/dev/absent", O_RDONLY));
	return 0;
}
