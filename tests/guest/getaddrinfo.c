/* Names without a server: numbers, services, localhost. */
#include "lib/net.h"
#include <netdb.h>

static void look(const char *host, const char *service, int flags)
{
	struct addrinfo hints = {.ai_family = AF_INET,
				.ai_socktype = SOCK_STREAM,
				.ai_flags = flags},
			*found = NULL;
	int err = getaddrinfo(host, service, &hints, &found);
	if (err) {
		printf("%s: %s\n", host, gai_strerror(err));
		return;
	}
	struct sockaddr_in *a = (void *)found->ai_addr;
	printf("%s %s: %s %d\n", host ? host : "-", service ? service : "-", inet_ntoa(a->sin_addr),
		ntohs(a->sin_port));
	freeaddrinfo(found);
}

int main(void)
{
	look("127.0.0.1", "80", AI_NUMERICHOST);
	look("10.1.2.3", NULL, 0);
	look(NULL, "8080", AI_PASSIVE);
	look(NULL, "8080", 0);
	look("localhost", "99", 0);
	look("not a number", "1", AI_NUMERICHOST);
	return 0;
}
