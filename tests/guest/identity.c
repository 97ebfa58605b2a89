/* Who the program is: ids, groups, session, names, limits. */
#include "lib/check.h"
#include <grp.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

int main(void)
{
	struct utsname u;
	char name[64];
	uid_t r, e, s;
	is(getpid() > 0 && getppid() >= 0 && gettid() == getpid());
	is(getpgrp() > 0 && getsid(0) >= 0 && getpgid(0) == getpgrp());
	printf("%d %d %d %d\n", getuid(), geteuid(), getgid(), getegid());
	show(getresuid(&r, &e, &s));
	printf("%d %d %d\n", r, e, s);
	show(uname(&u));
	printf("%s %s\n", u.sysname, u.machine);
	int major = 0, minor = 0;
	is(sscanf(u.release, "%d.%d", &major, &minor) == 2 && major >= 5);
	show(gethostname(name, sizeof(name)));
	is(!strcmp(name, u.nodename));
	show(uname(wild()));
	show(setgroups(0, NULL));
	show(getgroups(0, NULL));
	gid_t groups[3] = {5, 6, 7};
	show(setgroups(3, groups));
	show(getgroups(3, groups));
	show(getgroups(2, groups));
	show(setresgid(1000, 1000, 1000));
	show(setresuid(1000, 1001, 1002));
	printf("%d %d %d %d\n", getuid(), geteuid(), getgid(), getegid());
	show(setuid(0));
	show(setresuid(-1, 1002, -1));
	printf("%d\n", geteuid());
	show(setgid(0));
	show(chown("/", 5, 5));
	show(prctl(PR_SET_NAME, "a name too long to keep"));
	show(prctl(PR_GET_NAME, name));
	puts(name);
	show(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	show(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	show(prctl(12345, 0, 0, 0, 0));
	return 0;
}
