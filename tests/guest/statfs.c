/* statfs and statvfs answer, with names of 255 bytes; mount points known as directories. */
#include "lib/check.h"
#include <sys/statvfs.h>
#include <sys/vfs.h>

int main(void)
{
	struct statfs s;
	struct statvfs v;
	show(statfs(".", &s));
	printf("%ld\n", (long)s.f_namelen);
	is(s.f_bsize >= 512 && s.f_blocks >= s.f_bfree && s.f_bfree >= s.f_bavail);
	show(statfs("/proc", &s));
	printf("%lx\n", (long)s.f_type);
	show(statvfs(".", &v));
	is(v.f_frsize > 0);
	show(fstatfs(0, &s));
	show(fstatfs(99, &s));
	show(statfs("absent", &s));
	show(statfs(".", wild()));
	return 0;
}
