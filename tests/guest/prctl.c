/* prctl(2): settings that are kept, arguments that are refused, memory that never becomes executable. */
#include "lib/check.h"
#include <sys/auxv.h>
#include <sys/prctl.h>

static void errors(void)
{
	int v;
	show(prctl(PR_MCE_KILL, PR_MCE_KILL_GET, 0, 0, 0));
	show(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
	show(prctl(PR_MCE_KILL_GET, 1, 0, 0, 0));
	show(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0));
	show(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
	show(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, 5, 0, 0));
	show(prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 1, 0, 0));
	show(prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0));
	show(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
	show(prctl(PR_MCE_KILL, 7, 0, 0, 0));
	show(prctl(PR_GET_SPECULATION_CTRL, 9, 0, 0, 0));
	show(prctl(PR_GET_SPECULATION_CTRL, 0, 1, 0, 0));
	show(prctl(PR_SET_SPECULATION_CTRL, 9, 4, 0, 0));
	show(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
	show(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	show(prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0));
	show(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0));
	show(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	show(prctl(PR_SET_THP_DISABLE, 1, 1, 0, 0));
	show(prctl(PR_GET_THP_DISABLE, 1, 0, 0, 0));
	show(prctl(PR_SET_TSC, PR_TSC_ENABLE));
	show(prctl(PR_SET_TSC, 3));
	show(prctl(PR_GET_TSC, &v));
	show(prctl(PR_SET_TIMING, PR_TIMING_STATISTICAL));
	show(prctl(PR_SET_TIMING, PR_TIMING_TIMESTAMP));
	show(prctl(PR_SET_UNALIGN, 1));
	show(prctl(PR_SET_ENDIAN, 1));
	show(prctl(PR_SVE_GET_VL));
	show(prctl(PR_TASK_PERF_EVENTS_DISABLE));
	show(prctl(PR_TASK_PERF_EVENTS_ENABLE));
	show(prctl(59, 0, 0, 0, 0));
	show(prctl(PR_SET_DUMPABLE, 2));
	show(prctl(PR_SET_PDEATHSIG, 65));
	show(prctl(PR_SET_SECCOMP, 9));
	show(prctl(PR_SET_MM, PR_SET_MM_START_CODE, 0, 1, 0));
}

static void capabilities(void)
{
	show(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0));
	show(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
	show(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 5, 0, 0));
	show(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 5, 0, 0));
	show(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 5, 1, 0));
	show(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 64, 0, 0));
	show(prctl(PR_CAP_AMBIENT, 99, 1, 0, 0));
	show(prctl(PR_CAPBSET_READ, 64));
	show(prctl(PR_SET_KEEPCAPS, 2));
	show(prctl(PR_SET_KEEPCAPS, 1));
	show(prctl(PR_GET_SECUREBITS));
	show(prctl(PR_GET_KEEPCAPS));
	show(prctl(PR_SET_SECUREBITS, 0x1000));
	show(prctl(PR_SET_SECUREBITS, 0x30));
	show(prctl(PR_SET_SECUREBITS, 0));
	show(prctl(PR_SET_KEEPCAPS, 0));
	show(prctl(PR_SET_SECUREBITS, 0x20));
	show(prctl(PR_GET_SECUREBITS));
}

static void auxiliary(void)
{
	unsigned long v[128] = {0}, page = 0;
	long n = prctl(0x41555856, v, sizeof(v), 0, 0);
	for (size_t i = 0; i + 1 < COUNT(v) && v[i]; i += 2)
		if (v[i] == AT_PAGESZ)
			page = v[i + 1];
	is(n > 200 && page == PAGE);
	is(prctl(0x41555856, v, 8, 0, 0) == n);
	show(prctl(0x41555856, v, sizeof(v), 1, 0));
	show(prctl(0x41555856, wild(), sizeof(v), 0, 0));
}

static void no_exec_gain(void)
{
	char *rw = map_pages(1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	char *rx = map_pages(1, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	show(prctl(66, 0, 0, 0, 0));
	show(prctl(65, 2, 0, 0, 0));
	show(prctl(65, 16, 0, 0, 0));
	show(prctl(65, 1, 1, 0, 0));
	show(prctl(65, 1, 0, 0, 0));
	show(prctl(66, 0, 0, 0, 0));
	show(prctl(65, 1, 0, 0, 0));
	show(prctl(65, 0, 0, 0, 0));
	show(mprotect(rw, PAGE, PROT_READ | PROT_EXEC));
	show(mprotect(rx, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
	show(mprotect(rx, PAGE, PROT_READ | PROT_EXEC));
	show(mprotect(rx, PAGE, PROT_READ | PROT_WRITE));
	show(mprotect(rx, PAGE, PROT_READ | PROT_EXEC));
	is(mmap(NULL, PAGE, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			MAP_FAILED &&
		errno == EACCES);
	show_ok(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

int main(void)
{
	errors();
	capabilities();
	auxiliary();
	no_exec_gain();
	return 0;
}
