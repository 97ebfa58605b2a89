/* Who is root: getpwuid and getgrgid read the image's files, also for names that are not there. */
#include "lib/check.h"
#include <grp.h>
#include <pwd.h>

int main(void)
{
	struct passwd *p = getpwuid(0);
	printf("%s\n", p ? p->pw_name : "nobody knows");
	p = getpwnam("root");
	printf("%d %s\n", p ? (int)p->pw_uid : -1, p ? p->pw_dir : "");
	is(getpwnam("not-a-user-of-this-machine") == NULL);
	struct group *g = getgrgid(0);
	printf("%s\n", g ? g->gr_name : "nobody knows");
	return 0;
}
