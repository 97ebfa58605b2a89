/* $CONTENT#SUM, '+' and '-' until they are switched off, '}' before an escaped byte, 0x03 alone. */
#include "cli/debug/packet.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

void hex_add(struct text *t, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++)
		text_format(t, "%02x", b[i]);
}

long hex_bytes(const char *digits, size_t n_digits, uint8_t *to, size_t size)
{
	if (n_digits % 2 || n_digits / 2 > size)
		return -1;
	for (size_t i = 0; i < n_digits; i += 2) {
		int high = digit(digits[i]), low = digit(digits[i + 1]);

		if (high < 0 || low < 0)
			return -1;
		to[i / 2] = (uint8_t)(high << 4 | low);
	}
	return (long)(n_digits / 2);
}

static void write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			poll(&(struct pollfd){fd, POLLOUT, 0}, 1, -1);
		else if (n < 0 && errno != EINTR)
			return; /* packet_fill() will see the end */
		else if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
}

enum packet_kind packet_fill(struct packet_stream *s)
{
	if (s->in_len == sizeof(s->in))
		return PACKET_CLOSED; /* longer than it may be */
	ssize_t n = recv(s->fd, s->in + s->in_len, sizeof(s->in) - s->in_len, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return PACKET_NONE;
	if (n <= 0)
		return PACKET_CLOSED;
	s->in_len += (size_t)n;
	return PACKET_NONE;
}

static void drop(struct packet_stream *s, size_t n)
{
	s->in_len -= n;
	memmove(s->in, s->in + n, s->in_len);
}

static size_t unescape(const uint8_t *from, size_t n, char *out)
{
	size_t len = 0;

	for (size_t i = 0; i < n && len < PACKET_MAX; i++)
		out[len++] = from[i] == '}' && i + 1 < n ? (char)(from[++i] ^ 0x20) : (char)from[i];
	out[len] = 0;
	return len;
}

enum packet_kind packet_next(struct packet_stream *s, char *out, size_t *len)
{
	while (s->in_len && s->in[0] != '$') {
		bool interrupt = s->in[0] == 3;

		drop(s, 1);
		if (interrupt)
			return PACKET_INTERRUPT;
	}
	uint8_t *hash = s->in_len ? memchr(s->in, '#', s->in_len) : NULL;

	if (!hash || (size_t)(hash - s->in) + 3 > s->in_len)
		return PACKET_NONE;
	uint8_t sum = 0;

	for (uint8_t *b = s->in + 1; b < hash; b++)
		sum = (uint8_t)(sum + *b);
	bool good = digit((char)hash[1]) * 16 + digit((char)hash[2]) == sum;

	*len = unescape(s->in + 1, (size_t)(hash - s->in - 1), out);
	drop(s, (size_t)(hash - s->in) + 3);
	if (!s->no_acks)
		write_all(s->fd, good ? "+" : "-", 1);
	return good ? PACKET_COMMAND : packet_next(s, out, len);
}

void packet_send(struct packet_stream *s, const char *content, size_t len)
{
	struct text t = {0};
	uint8_t sum = 0;

	text_add(&t, "$");
	for (size_t i = 0; i < len; i++) {
		bool escape = content[i] && strchr("$#}*", content[i]);
		char bytes[2] = {escape ? '}' : content[i], (char)(content[i] ^ 0x20)};

		text_add_bytes(&t, bytes, escape ? 2 : 1);
	}
	for (size_t i = 1; i < t.len; i++)
		sum = (uint8_t)(sum + (uint8_t)t.data[i]);
	text_format(&t, "#%02x", sum);
	write_all(s->fd, t.data, t.len);
	text_free(&t);
}
