/* The machine's network card: its address, mask, flags and route are those it was given. */
/* test: net */
#include "lib/net.h"
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/ioctl.h>

int main(void)
{
	struct ifaddrs *all;
	must(getifaddrs(&all));
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		if (!strcmp(i->ifa_name, "lo") || !i->ifa_addr || i->ifa_addr->sa_family != AF_INET)
			continue;
		printf("%s %s", i->ifa_name,
			inet_ntoa(((struct sockaddr_in *)i->ifa_addr)->sin_addr));
		printf(" mask %s", inet_ntoa(((struct sockaddr_in *)i->ifa_netmask)->sin_addr));
		printf(" up %d running %d\n", !!(i->ifa_flags & IFF_UP),
			!!(i->ifa_flags & IFF_RUNNING));
	}
	freeifaddrs(all);
	struct sockaddr_in far = {.sin_family = AF_INET, .sin_port = htons(9)}, own;
	far.sin_addr.s_addr = htonl(0x08080808);
	socklen_t length = sizeof(own);
	int s = must(socket(AF_INET, SOCK_DGRAM, 0));
	show(connect(s, ADDRESS(far)));
	must(getsockname(s, (struct sockaddr *)&own, &length));
	printf("from %s\n", inet_ntoa(own.sin_addr));
	struct ifreq r = {.ifr_name = "eth0"};
	show(ioctl(s, SIOCGIFMTU, &r));
	show(ioctl(s, SIOCGIFHWADDR, &r));
	printf("hardware type %d\n", r.ifr_hwaddr.sa_family);
	return 0;
}
