/* test: net */
/* Go counts on messages that end where their last attribute's padding does, and on statistics: it panicked. */
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int odd, links, statistics, wrong_sizes;

static void attributes(const struct nlmsghdr *h, unsigned skip)
{
	const char *at = (const char *)h + NLMSG_HDRLEN + NLMSG_ALIGN(skip),
		   *end = (const char *)h + h->nlmsg_len;
	while (at < end) {
		const struct rtattr *a = (const void *)at;
		if (h->nlmsg_type == RTM_NEWLINK && (a->rta_type & NLA_TYPE_MASK) == IFLA_STATS64) {
			statistics++;
			wrong_sizes += a->rta_len < 4 + 24 * 8;
		}
		if (h->nlmsg_type == RTM_NEWLINK && (a->rta_type & NLA_TYPE_MASK) == IFLA_STATS)
			wrong_sizes += a->rta_len != 4 + 24 * 4;
		at += RTA_ALIGN(a->rta_len);
	}
	odd += at != end;
}

static void ask(int type, unsigned skip)
{
	struct {
		struct nlmsghdr h;
		struct rtgenmsg g;
	} q = {.h = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtgenmsg)),
		       .nlmsg_type = type,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		       .nlmsg_seq = 1},
		.g = {AF_UNSPEC}};
	char buf[32768] __attribute__((aligned(8)));
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), done = 0;
	send(s, &q, q.h.nlmsg_len, 0);
	while (!done) {
		ssize_t n = recv(s, buf, sizeof(buf), 0);
		if (n <= 0)
			break;
		for (struct nlmsghdr *h = (void *)buf; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			done |= h->nlmsg_type == NLMSG_DONE;
			links += h->nlmsg_type == RTM_NEWLINK;
			if (h->nlmsg_type != NLMSG_DONE)
				attributes(h, skip);
		}
	}
	close(s);
}

int main(void)
{
	ask(RTM_GETLINK, sizeof(struct ifinfomsg));
	ask(RTM_GETADDR, sizeof(struct ifaddrmsg));
	ask(RTM_GETROUTE, sizeof(struct rtmsg));
	printf("messages that end elsewhere than their attributes: %d\n", odd);
	printf("every link has statistics: %d, of another size: %d\n",
		links > 0 && links == statistics, wrong_sizes);
	return 0;
}
