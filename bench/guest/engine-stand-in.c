/* In place of QEMU (bench/control.py): tells mote that the program ran and exited, over the sockets it was given. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *fd =
			strncmp(argv[i], "socket,id=", 10) == 0 ? strstr(argv[i], "fd=") : NULL;
		const char *say = strstr(argv[i], "id=status") ? "started\nexited 0\n" : "hello\n";

		if (fd && !strstr(argv[i], "id=qmp") && !strstr(argv[i], "id=channel") &&
			write(atoi(fd + 3), say, strlen(say)) < 0)
			return 1;
	}
	return 0;
}
