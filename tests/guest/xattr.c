/* Extended attributes: kept where the filesystem has them, refused with EOPNOTSUPP or ENODATA otherwise. */
#include "lib/check.h"
#include <sys/xattr.h>

int main(void)
{
	char buf[64];
	write_file("f", "x");
	ssize_t n = getxattr("f", "user.none", buf, sizeof(buf));
	is(n == -1 && (errno == ENODATA || errno == EOPNOTSUPP));
	is(listxattr("f", buf, sizeof(buf)) >= 0 || errno == EOPNOTSUPP);
	show(getxattr("absent", "user.a", buf, sizeof(buf)));
	is(getxattr("f", "security.capability", buf, sizeof(buf)) == -1);
	return 0;
}
