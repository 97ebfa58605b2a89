/* What a signal nobody handles does: most end the program, some are ignored. The last one ends it. */
/* test: args=15 */
#include "lib/check.h"

int main(int argc, char **argv)
{
	const int ignored[] = {SIGCHLD, SIGURG, SIGWINCH, SIGCONT};
	for (size_t i = 0; i < COUNT(ignored); i++)
		show(kill(getpid(), ignored[i]));
	puts("still here");
	fflush(stdout);
	kill(getpid(), atoi(argv[1]));
	puts("not reached");
	return 0;
}
