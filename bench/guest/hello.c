/* The smallest init: one line on the console, then wait. */
#include <unistd.h>

int main(void)
{
	if (write(1, "HELLO from app\n", 15) < 0)
		return 1;
	for (;;)
		pause();
}
