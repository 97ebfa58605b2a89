/* RLIMIT_NOFILE bounds numbers: EMFILE at the limit, and it can be lowered and raised. */
#include "lib/check.h"
#include <sys/resource.h>

int main(void)
{
	struct rlimit r, old;
	must(getrlimit(RLIMIT_NOFILE, &old));
	is(old.rlim_cur >= 256 && old.rlim_max >= old.rlim_cur);
	r = (struct rlimit){20, old.rlim_max};
	show(setrlimit(RLIMIT_NOFILE, &r));
	int fd, n = 0;
	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		n++;
	printf("%d opened, then %s\n", n, strerrorname_np(errno));
	int p[2];
	show(pipe(p));
	show(dup(1));
	show(dup2(1, 20));
	show(fcntl(1, F_DUPFD, 20));
	show(socket(AF_INET, SOCK_STREAM, 0));
	r.rlim_cur = 256;
	show(setrlimit(RLIMIT_NOFILE, &r));
	show(dup2(1, 255));
	show(dup2(1, 256));
	show(dup(1));
	r = (struct rlimit){30, 20};
	show(setrlimit(RLIMIT_NOFILE, &r));
	show(getrlimit(99, &r));
	show(prlimit(0, RLIMIT_NOFILE, NULL, &r));
	printf("%ld\n", (long)r.rlim_cur);
	show(getrlimit(RLIMIT_NOFILE, wild()));
	return 0;
}
