/* test: net */
/* /proc/net/snmp and netstat: node-exporter reads them; each line of names has a line of values, and they count. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int pairs_wrong;

static long value(const char *path, const char *group, const char *name)
{
	static char names[8192], values[8192];
	long found = -1;
	FILE *f = fopen(path, "r");
	if (!f)
		return -2;
	while (fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		char *n, *v, *a = names, *b = values;
		int ours = strncmp(names, group, strlen(group)) == 0 && names[strlen(group)] == ':';
		while (n = strsep(&a, " \n"), v = strsep(&b, " \n"), n && v)
			if (ours && strcmp(n, name) == 0)
				found = atol(v);
		pairs_wrong += !!n != !!v;
	}
	fclose(f);
	return found;
}

static const char *const counters[][2] = {{"Tcp", "ActiveOpens"}, {"Tcp", "PassiveOpens"},
	{"Tcp", "AttemptFails"}, {"Tcp", "OutRsts"}, {"Udp", "NoPorts"}};

int main(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	long before[5];
	for (int i = 0; i < 5; i++)
		before[i] = value("/proc/net/snmp", counters[i][0], counters[i][1]);
	long octets = value("/proc/net/netstat", "IpExt", "InOctets");
	int s = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);
	bind(s, (void *)&a, len);
	listen(s, 5);
	getsockname(s, (void *)&a, &len);
	printf("connect: %d\n", connect(c, (void *)&a, len));
	int d = accept(s, NULL, NULL);
	close(s), close(c), close(d);
	c = socket(AF_INET, SOCK_STREAM, 0);
	printf("connect to nobody: %d\n", connect(c, (void *)&a, len));
	c = socket(AF_INET, SOCK_DGRAM, 0);
	connect(c, (void *)&a, len);
	printf("send to nobody: %zd\n", send(c, "x", 1, 0));
	for (int i = 0; i < 5; i++)
		printf("%s %s: %ld more\n", counters[i][0], counters[i][1],
			value("/proc/net/snmp", counters[i][0], counters[i][1]) - before[i]);
	printf("octets: %s\n", value("/proc/net/netstat", "IpExt", "InOctets") > octets + 200
				       ? "more"
				       : "as before");
	printf("TcpExt ListenOverflows: %ld\n",
		value("/proc/net/netstat", "TcpExt", "ListenOverflows"));
	printf("lines without a partner: %d\n", pairs_wrong);
	return 0;
}
