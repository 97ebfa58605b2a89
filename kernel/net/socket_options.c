/* Options of level SOL_SOCKET that are the same for all protocols: socket(7), as Linux 6.1 checks them. */
#include "kernel/lib/string.h"
#include "kernel/net/net.h"
#include "kernel/net/protocol.h"

int option_get_int(const void *value, size_t len, int *out)
{
	if (len < sizeof(int))
		return -EINVAL;
	memcpy(out, value, sizeof(int));
	return 0;
}

int option_put(void *value, size_t size, const void *from, size_t n)
{
	n = min(n, size);
	memcpy(value, from, n);
	return (int)n;
}

int option_put_int(void *value, size_t size, int x)
{
	return option_put(value, size, &x, sizeof(x));
}

/* Options that are one flag. */
static const struct {
	uint8_t name;
	uint32_t flag;
} flags[] = {
	{SO_DEBUG, OPTION_DEBUG},
	{SO_REUSEADDR, OPTION_REUSE_ADDR},
	{SO_REUSEPORT, OPTION_REUSE_PORT},
	{SO_DONTROUTE, OPTION_DONT_ROUTE},
	{SO_BROADCAST, OPTION_BROADCAST},
	{SO_KEEPALIVE, OPTION_KEEPALIVE},
	{SO_OOBINLINE, OPTION_OOB_INLINE},
	{SO_NO_CHECK, OPTION_NO_CHECK},
	{SO_PASSCRED, OPTION_PASS_CREDENTIALS},
	{SO_RXQ_OVFL, OPTION_RX_OVERFLOW},
};

static uint32_t flag_of(int name)
{
	for (unsigned i = 0; i < array_size(flags); i++)
		if (flags[i].name == name)
			return flags[i].flag;
	return 0;
}

static int set_limit(struct socket *s, int name, int value)
{
	bool forced = name == SO_SNDBUFFORCE || name == SO_RCVBUFFORCE;
	bool send = name == SO_SNDBUF || name == SO_SNDBUFFORCE;
	if (forced)
		value = max(value, 0);
	else
		value = (int)min((unsigned)value, BUFFER_OPTION_MAX);
	/* Twice what was asked for: half is for descriptors, socket(7). */
	value = min(value, INT32_MAX / 2) * 2;
	if (send) {
		s->send_limit = max((uint32_t)value, SEND_LIMIT_MIN);
		socket_set_flag(s, OPTION_SEND_LIMIT_SET, true);
	} else {
		s->receive_limit = max((uint32_t)value, RECEIVE_LIMIT_MIN);
		socket_set_flag(s, OPTION_RECEIVE_LIMIT_SET, true);
	}
	return 0;
}

static int set_timeout(uint64_t *out_ns, const void *value, size_t len)
{
	struct linux_sock_timeval t;
	if (len < sizeof(t))
		return -EINVAL;
	memcpy(&t, value, sizeof(t));
	if (t.tv_usec < 0 || t.tv_usec >= 1000000)
		return -EDOM;
	if (t.tv_sec < 0)
		*out_ns = 1; /* over at once */
	else if ((uint64_t)t.tv_sec >= UINT64_MAX / NS_PER_S / 4)
		*out_ns = 0;
	else
		*out_ns = (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_usec * NS_PER_US;
	return 0;
}

static int set_linger(struct socket *s, const void *value, size_t len)
{
	struct linux_linger l;
	if (len < sizeof(l))
		return -EINVAL;
	memcpy(&l, value, sizeof(l));
	if (l.l_onoff)
		s->linger_s = l.l_linger < 0 ? INT32_MAX : l.l_linger;
	socket_set_flag(s, OPTION_LINGER, l.l_onoff);
	return 0;
}

static int set_device(struct socket *s, const void *value, size_t len)
{
	char name[16] = "";
	memcpy(name, value, min(len, sizeof(name) - 1));
	if (name[0] == '\0') {
		s->netif_index = 0;
		return 0;
	}
	struct netif *n;
	for (unsigned i = 0; (n = netif_at(i)); i++) {
		if (strcmp(n->name, name) == 0) {
			s->netif_index = n->index;
			return 0;
		}
	}
	return -ENODEV;
}

static int set_timestamp(struct socket *s, int name, int on)
{
	socket_set_flag(s, OPTION_TIMESTAMP | OPTION_TIMESTAMP_NS, false);
	socket_set_flag(s, name == SO_TIMESTAMP ? OPTION_TIMESTAMP : OPTION_TIMESTAMP_NS, on);
	return 0;
}

/* Those whose value is an int. */
static int set_int(struct socket *s, int name, int x)
{
	uint32_t flag = flag_of(name);
	if (name == SO_PASSCRED && s->family != AF_UNIX && s->family != AF_NETLINK)
		return -EOPNOTSUPP;
	if (flag) {
		socket_set_flag(s, flag, x);
		return 0;
	}
	switch (name) {
	case SO_SNDBUF:
	case SO_RCVBUF:
	case SO_SNDBUFFORCE:
	case SO_RCVBUFFORCE:
		return set_limit(s, name, x);
	case SO_PRIORITY:
		s->priority = x;
		return 0;
	case SO_MARK:
		s->mark = (uint32_t)x;
		return 0;
	case SO_RCVLOWAT:
		s->low_water = x < 0 ? INT32_MAX : max(x, 1);
		return 0;
	case SO_TIMESTAMP:
	case SO_TIMESTAMPNS:
		return set_timestamp(s, name, x);
	default:
		return -ENOPROTOOPT;
	}
}

int socket_generic_set(struct socket *s, int name, const void *value, size_t len)
{
	switch (name) {
	case SO_BINDTODEVICE:
		return set_device(s, value, len);
	case SO_RCVTIMEO:
	case SO_RCVTIMEO_NEW:
		return set_timeout(&s->receive_timeout_ns, value, len);
	case SO_SNDTIMEO:
	case SO_SNDTIMEO_NEW:
		return set_timeout(&s->send_timeout_ns, value, len);
	case SO_LINGER:
		return set_linger(s, value, len);
	case SO_TYPE:
	case SO_PROTOCOL:
	case SO_DOMAIN:
	case SO_ERROR:
	case SO_SNDLOWAT:
		return -ENOPROTOOPT;
	default:
		break;
	}
	int x = 0;
	int err = option_get_int(value, len, &x);
	return err < 0 ? err : set_int(s, name, x);
}

static int get_timeout(uint64_t timeout_ns, void *value, size_t size)
{
	struct linux_sock_timeval t = {
		(int64_t)(timeout_ns / NS_PER_S),
		(int64_t)(timeout_ns % NS_PER_S / NS_PER_US),
	};
	return option_put(value, size, &t, sizeof(t));
}

static int get_device(struct socket *s, void *value, size_t size)
{
	if (s->netif_index == 0)
		return 0;
	if (size < 16)
		return -EINVAL;
	struct netif *n;
	for (unsigned i = 0; (n = netif_at(i)); i++)
		if (n->index == s->netif_index)
			return option_put(value, size, n->name, strlen(n->name) + 1);
	return 0;
}

/* Those whose value is an int; -ENOPROTOOPT. */
static int get_int(struct socket *s, int name, int *x)
{
	uint32_t flag = flag_of(name);
	if (flag) {
		*x = socket_option(s, flag) != 0;
		return 0;
	}
	switch (name) {
	case SO_TYPE:
		*x = s->type;
		break;
	case SO_ERROR:
		*x = -socket_take_error(s);
		break;
	case SO_SNDBUF:
		*x = (int)s->send_limit;
		break;
	case SO_RCVBUF:
		*x = (int)s->receive_limit;
		break;
	case SO_PRIORITY:
		*x = s->priority;
		break;
	case SO_MARK:
		*x = (int)s->mark;
		break;
	case SO_RCVLOWAT:
		*x = s->low_water;
		break;
	case SO_SNDLOWAT:
		*x = 1;
		break;
	case SO_TIMESTAMP:
		*x = socket_option(s, OPTION_TIMESTAMP) != 0;
		break;
	case SO_TIMESTAMPNS:
		*x = socket_option(s, OPTION_TIMESTAMP_NS) != 0;
		break;
	case SO_ACCEPTCONN:
		*x = socket_option(s, OPTION_LISTENING) != 0;
		break;
	case SO_PROTOCOL:
		*x = s->number;
		break;
	case SO_DOMAIN:
		*x = s->family;
		break;
	case SO_INCOMING_CPU:
		*x = -1;
		break;
	case SO_INCOMING_NAPI_ID:
		*x = 0;
		break;
	default:
		return -ENOPROTOOPT;
	}
	return 0;
}

int socket_generic_get(struct socket *s, int name, void *value, size_t size)
{
	int x = 0;
	int err = get_int(s, name, &x);
	if (err == 0)
		return option_put_int(value, size, x);
	switch (name) {
	case SO_LINGER: {
		struct linux_linger l = {socket_option(s, OPTION_LINGER) != 0, s->linger_s};
		return option_put(value, size, &l, sizeof(l));
	}
	case SO_RCVTIMEO:
	case SO_RCVTIMEO_NEW:
		return get_timeout(s->receive_timeout_ns, value, size);
	case SO_SNDTIMEO:
	case SO_SNDTIMEO_NEW:
		return get_timeout(s->send_timeout_ns, value, size);
	case SO_BINDTODEVICE:
		return get_device(s, value, size);
	case SO_COOKIE:
		return size < 8 ? -EINVAL : option_put(value, size, &s->cookie, 8);
	default:
		return -ENOPROTOOPT;
	}
}
