/* Setting identities: real, effective, saved and filesystem ids, capabilities. */
#include "lib/check.h"
#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

static void ids(void)
{
	gid_t r, e, s;
	must(getresgid(&r, &e, &s));
	printf("uid %d %d gid %d %d %d\n", getuid(), geteuid(), r, e, s);
}

int main(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	show(syscall(SYS_capget, &header, data));
	is(data[0].permitted & (1 << CAP_NET_BIND_SERVICE));
	show(syscall(SYS_capset, &header, data));
	header.version = 77;
	show(syscall(SYS_capget, &header, NULL));
	show(syscall(SYS_capget, &header, data));
	header.version = _LINUX_CAPABILITY_VERSION_3;
	show(syscall(SYS_capget, wild(), data));
	show(prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0));
	show(prctl(PR_CAPBSET_READ, 99, 0, 0, 0));
	show(setfsuid(5));
	show(setfsuid(-1));
	show(setfsgid(6));
	show(setfsgid(-1));
	ids();
	show(setregid(10, 20));
	ids();
	show(setregid(-1, 10));
	ids();
	show(setreuid(30, -1));
	ids();
	show(setreuid(-1, 30));
	ids();
	show(setreuid(0, 0));
	show(setregid(0, 0));
	show(setgroups(0, NULL));
	return 0;
}
