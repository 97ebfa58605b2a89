/* splice between a pipe and files, sockets, pipes and devices; its errors. */
#include "lib/check.h"
#include <sys/eventfd.h>

static char text[200000], back[200000];
static int p[2], q[2], file, out;

static void files(void)
{
	off_t at = 5;
	show(splice(file, NULL, p[1], NULL, 10000, 0));
	show(lseek(file, 0, SEEK_CUR));
	show(splice(p[0], NULL, out, NULL, 4000, 0));
	show(splice(p[0], NULL, out, NULL, 100000, 0));
	show(lseek(out, 0, SEEK_CUR));
	is(pread(out, back, 10000, 0) == 10000 && !memcmp(back, text, 10000));
	show(splice(file, &at, p[1], NULL, 9000, SPLICE_F_MOVE));
	printf("%ld\n", (long)at);
	at = 50000;
	show(splice(p[0], NULL, out, &at, 9000, 0));
	printf("%ld\n", (long)at);
	is(pread(out, back, 9000, 50000) == 9000 && !memcmp(back, text + 5, 9000));
	show(read(p[0], back, 1));
	show(splice(file, NULL, p[1], NULL, 1000000, 0));
	show(splice(file, NULL, p[1], NULL, 1000000, SPLICE_F_NONBLOCK));
	long sum = 0, n;
	while ((n = read(p[0], back + sum, 5000)) > 0)
		sum += n;
	printf("%ld\n", sum);
	is(!memcmp(back, text + 10000, sum));
	must(lseek(file, 0, SEEK_END));
	show(splice(file, NULL, p[1], NULL, 10, 0));
	must(lseek(file, 0, SEEK_SET));
}

static void pipes(void)
{
	must(write(p[1], "hello world", 11));
	show(tee(p[0], q[1], 5, 0));
	show(tee(p[0], q[1], 100, 0));
	show(splice(p[0], NULL, q[1], NULL, 6, 0));
	must(write(q[1], "!", 1));
	show(read(q[0], back, 100));
	printf("%.23s\n", back);
	show(read(p[0], back, 100));
	printf("%.5s\n", back);
	show(tee(p[0], q[1], 100, SPLICE_F_NONBLOCK));
	show(splice(p[0], NULL, q[1], NULL, 100, SPLICE_F_NONBLOCK));
	show(tee(p[0], p[1], 100, 0));
	show(splice(p[0], NULL, p[1], NULL, 100, 0));
	show(tee(file, q[1], 100, 0));
	show(tee(p[1], q[1], 100, 0));
	show(tee(p[0], q[1], 100, 16));
	show(tee(p[0], q[1], 0, 0));
}

static void others(void)
{
	int s[2], zero = must(open("/dev/zero", O_RDWR)), null = must(open("/dev/null", O_RDWR));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	must(write(s[0], "by socket", 9));
	show(splice(s[1], NULL, p[1], NULL, 100, 0));
	show(splice(p[0], NULL, s[1], NULL, 100, 0));
	show(read(s[0], back, 100));
	printf("%.9s\n", back);
	show(splice(zero, NULL, p[1], NULL, 5000, 0));
	show(splice(p[0], NULL, null, NULL, 5000, 0));
	int e = must(eventfd(1, 0));
	show(splice(e, NULL, p[1], NULL, 8, 0));
	int d = must(open(".", O_RDONLY));
	show(splice(d, NULL, p[1], NULL, 8, 0));
	must(close(s[0]));
	must(write(p[1], "x", 1));
	signal(SIGPIPE, SIG_IGN);
	show(splice(p[0], NULL, s[1], NULL, 1, 0));
	show(read(p[0], back, 10));
}

static void errors(void)
{
	off_t at = 0, negative = -1;
	show(splice(file, NULL, out, NULL, 10, 0));
	show(splice(file, NULL, p[1], &at, 10, 0));
	show(splice(p[0], &at, out, NULL, 10, 0));
	show(splice(99, NULL, p[1], NULL, 10, 0));
	show(splice(file, NULL, 99, NULL, 10, 0));
	show(splice(file, NULL, p[0], NULL, 10, 0));
	show(splice(p[1], NULL, file, NULL, 10, 0));
	show(splice(file, NULL, p[1], NULL, 10, 32));
	show(splice(file, NULL, p[1], NULL, 0, 0));
	show(splice(file, &negative, p[1], NULL, 10, 0));
	show(splice(file, wild(), p[1], NULL, 10, 0));
	int append = must(open("out", O_WRONLY | O_APPEND));
	show(splice(p[0], NULL, append, NULL, 10, 0));
	show(splice(p[0], NULL, out, NULL, 10, SPLICE_F_NONBLOCK));
	must(close(q[0]));
	show(splice(file, NULL, q[1], NULL, 10, 0));
	show(tee(p[0], q[1], 10, SPLICE_F_NONBLOCK));
	must(close(p[1]));
	show(splice(p[0], NULL, out, NULL, 10, 0));
}

int main(void)
{
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = 'a' + i % 23;
	file = must(open("in", O_RDWR | O_CREAT, 0644));
	out = must(open("out", O_RDWR | O_CREAT, 0644));
	must(write(file, text, sizeof(text)));
	must(lseek(file, 0, SEEK_SET));
	must(pipe2(p, O_NONBLOCK));
	must(pipe(q));
	files();
	pipes();
	others();
	errors();
	return 0;
}
