/* What prctl(2) refuses changes nothing: no_new_privs is for good, locked securebits stay, and so does what a caller may not set. */
#include <errno.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#define SHOW(call) show(#call, call)

static void show(const char *text, long result)
{
	printf("%s = %ld%s\n", text, result,
		result >= 0       ? ""
		: errno == EPERM  ? " EPERM"
		: errno == EINVAL ? " EINVAL"
				  : " ?");
}

static void no_new_privileges(void)
{
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 1));
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0));
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static void locked(void)
{
	SHOW(prctl(PR_SET_SECUREBITS, 0xffffffff, 0, 0, 0));
	SHOW(prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT_LOCKED, 0, 0, 0));
	SHOW(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT, 0, 0, 0));
	SHOW(prctl(PR_SET_SECUREBITS, 0, 0, 0, 0));
	SHOW(prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
}

static void keep_capabilities(void)
{
	SHOW(prctl(PR_SET_KEEPCAPS, 2, 0, 0, 0));
	SHOW(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
	SHOW(prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
	SHOW(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT_LOCKED | SECBIT_KEEP_CAPS_LOCKED, 0, 0, 0));
	SHOW(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
}

int main(void)
{
	no_new_privileges();
	SHOW(prctl(PR_SET_THP_DISABLE, 1, 1, 0, 0));
	SHOW(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	locked();
	keep_capabilities();
	SHOW(setresuid(1000, 1000, 1000));
	SHOW(prctl(PR_SET_SECUREBITS,
		SECBIT_NOROOT_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NOROOT, 0, 0, 0));
	SHOW(prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
	return 0;
}
