/* Interface requests of ioctl(2) on a socket: netdevice(7). */
#pragma once

#include <stdint.h>

#define FIONREAD 0x541b
#define SIOCINQ FIONREAD
#define SIOCOUTQ 0x5411
#define FIONBIO 0x5421
#define FIOASYNC 0x5452
#define FIOSETOWN 0x8901
#define SIOCSPGRP 0x8902
#define FIOGETOWN 0x8903
#define SIOCGPGRP 0x8904
#define SIOCATMARK 0x8905
#define SIOCGSTAMP 0x8906
#define SIOCGIFNAME 0x8910
#define SIOCGIFCONF 0x8912
#define SIOCGIFFLAGS 0x8913
#define SIOCGIFADDR 0x8915
#define SIOCGIFDSTADDR 0x8917
#define SIOCGIFBRDADDR 0x8919
#define SIOCGIFNETMASK 0x891b
#define SIOCGIFMETRIC 0x891d
#define SIOCGIFMTU 0x8921
#define SIOCGIFHWADDR 0x8927
#define SIOCGIFINDEX 0x8933
#define SIOCGIFTXQLEN 0x8942
#define SIOCOUTQNSD 0x894b
#define SIOCETHTOOL 0x8946
#define SIOCGIFMAP 0x8970

#define IFNAMSIZ 16
#define IFF_UP 0x1
#define IFF_BROADCAST 0x2
#define IFF_LOOPBACK 0x8
#define IFF_RUNNING 0x40
#define IFF_MULTICAST 0x1000
#define IFF_LOWER_UP 0x10000

#define ARPHRD_ETHER 1
#define ARPHRD_LOOPBACK 772

struct linux_ifreq {
	char ifr_name[IFNAMSIZ];
	union {
		uint8_t bytes[24]; /* a sockaddr, or: */
		int32_t value;     /* flags (16 bits), index, metric, mtu */
		uint16_t flags;
	};
};
_Static_assert(sizeof(struct linux_ifreq) == 40, "struct ifreq");

struct linux_ifconf {
	int32_t ifc_len;
	uint32_t pad;
	uint64_t ifc_buf;
};
