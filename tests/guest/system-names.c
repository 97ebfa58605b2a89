/* Host and domain names can be set; the clock and the machine only by those who mean it. */
#include "lib/check.h"
#include <sys/klog.h>
#include <sys/timex.h>
#include <sys/utsname.h>

int main(void)
{
	struct utsname u;
	struct timex x = {0};
	char name[100];
	show(sethostname("box", 3));
	show(setdomainname("example", 7));
	must(uname(&u));
	printf("%s %s\n", u.nodename, u.domainname);
	show(gethostname(name, sizeof(name)));
	puts(name);
	show(gethostname(name, 2));
	memset(name, 'x', sizeof(name));
	show(sethostname(name, 65));
	show(sethostname(wild(), 3));
	is(adjtimex(&x) >= 0);
	is(clock_adjtime(CLOCK_REALTIME, &x) >= 0);
	show(clock_adjtime(CLOCK_MONOTONIC, &x));
	show(clock_settime(CLOCK_REALTIME, &(struct timespec){1000, -1}));
	show(clock_settime(CLOCK_MONOTONIC, &(struct timespec){1000, 1}));
	show(syscall(SYS_settimeofday, &(struct timeval){1000, -1}, NULL));
	show(syscall(SYS_reboot, 1, 2, 3, 4));
	is(klogctl(10, NULL, 0) >= 0);
	show(klogctl(77, NULL, 0));
	return 0;
}
