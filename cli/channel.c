/* The host channel's frames. */
#include "cli/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "abi/channel.h"
#include "cli/memory.h"

#define PATIENCE_MS 10000 /* whoever reads nothing for so long is gone */
#define BUFFER_SIZE (2 * (sizeof(struct channel_frame) + CHANNEL_FRAME_MAX))

void channel_init(struct channel *c, int fd,
	void (*on_frame)(void *owner, unsigned kind, const void *content, size_t len), void *owner)
{
	*c = (struct channel){.fd = fd,
		.buffer = memory_new(BUFFER_SIZE, 1),
		.on_frame = on_frame,
		.owner = owner};
}

void channel_free(struct channel *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->buffer);
	*c = (struct channel){.fd = -1};
}

/* Hands whole frames on; what is left is at the buffer's start again. */
static int take_frames(struct channel *c)
{
	static _Alignas(8) uint8_t content[CHANNEL_FRAME_MAX];
	size_t at = 0;
	struct channel_frame head;

	while (c->len - at >= sizeof(head)) {
		memcpy(&head, c->buffer + at, sizeof(head));
		if (head.len > CHANNEL_FRAME_MAX)
			return fail(EPROTO, "the machine sent a frame of %u bytes: not read on",
				head.len);
		if (c->len - at - sizeof(head) < head.len)
			break;
		memcpy(content, c->buffer + at + sizeof(head), head.len);
		at += sizeof(head) + head.len;
		c->on_frame(c->owner, head.kind, content, head.len);
	}
	memmove(c->buffer, c->buffer + at, c->len - at);
	c->len -= at;
	return 0;
}

int channel_read(struct channel *c)
{
	ssize_t n = recv(c->fd, c->buffer + c->len, BUFFER_SIZE - c->len, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -ENOTCONN;
	c->len += (size_t)n;
	c->n_read += (size_t)n;
	return take_frames(c);
}

static int send_all(int fd, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			if (poll(&(struct pollfd){fd, POLLOUT, 0}, 1, PATIENCE_MS) == 0)
				return -ETIMEDOUT;
		} else if (n < 0 && errno != EINTR)
			return -errno;
		else if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

int channel_send(const struct channel *c, unsigned kind, const void *content, size_t len)
{
	const struct channel_frame head = {(uint32_t)len, (uint16_t)kind, 0};
	int err = send_all(c->fd, &head, sizeof(head));

	return err < 0 ? err : send_all(c->fd, content, len);
}
