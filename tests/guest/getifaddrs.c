/* getifaddrs and the SIOCGIF calls find the loopback with its address. */
#include "lib/net.h"
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/ioctl.h>

int main(void)
{
	struct ifaddrs *all;
	struct ifreq r = {.ifr_name = "lo"};
	show(getifaddrs(&all));
	for (struct ifaddrs *i = all; i; i = i->ifa_next)
		if (!strcmp(i->ifa_name, "lo") && i->ifa_addr && i->ifa_addr->sa_family == AF_INET)
			printf("lo %s up %d loopback %d\n",
				inet_ntoa(((struct sockaddr_in *)i->ifa_addr)->sin_addr),
				!!(i->ifa_flags & IFF_UP), !!(i->ifa_flags & IFF_LOOPBACK));
	freeifaddrs(all);
	int s = must(socket(AF_INET, SOCK_DGRAM, 0));
	show(ioctl(s, SIOCGIFADDR, &r));
	printf("%s\n", inet_ntoa(((struct sockaddr_in *)&r.ifr_addr)->sin_addr));
	show(ioctl(s, SIOCGIFFLAGS, &r));
	printf("%d\n", !!(r.ifr_flags & IFF_LOOPBACK));
	show(ioctl(s, SIOCGIFMTU, &r));
	printf("%d\n", r.ifr_mtu);
	show_ok(ioctl(s, SIOCGIFINDEX, &r));
	struct ifreq many[16];
	struct ifconf conf = {.ifc_len = sizeof(many), .ifc_req = many};
	show(ioctl(s, SIOCGIFCONF, &conf));
	is(conf.ifc_len >= (int)sizeof(*many));
	is(if_nametoindex("lo") > 0);
	strcpy(r.ifr_name, "absent0");
	show(ioctl(s, SIOCGIFADDR, &r));
	return 0;
}
