/* A small web server: each answer names it.  argv: NAME PORT [LINES of output at the start] */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[2]))};
	int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1, sick = 0;
	char request[2048], answer[512];

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; argc > 3 && i < atoi(argv[3]); i++)
		printf("line %d of %s\n", i, argv[1]);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(listener, 64) < 0)
		return 1;
	puts("listening");
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		ssize_t n = read(fd, request, sizeof(request) - 1);

		request[n > 0 ? n : 0] = 0;
		if (strncmp(request, "GET /crash", 10) == 0) {
			fputs("about to crash\n", stderr);
			abort();
		}
		if (strncmp(request, "GET /sick", 9) == 0)
			sick = 1;
		if (strncmp(request, "GET /say/", 9) == 0)
			printf("%.*s\n", (int)strcspn(request + 9, " "), request + 9);
		int len = snprintf(answer, sizeof(answer),
			"HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
			sick ? "503 Sick" : "200 OK", strlen(argv[1]), argv[1]);
		if (write(fd, answer, (size_t)len) < 0)
			perror("write");
		close(fd);
	}
}
