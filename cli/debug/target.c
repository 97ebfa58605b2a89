/* Requests to a machine about its program, and their replies. */
#include "cli/debug/target.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "abi/channel.h"

bool target_frame(struct target *t, unsigned kind, const void *content, size_t len)
{
	struct debug_reply reply;

	if (kind == CHANNEL_DEBUG_EVENT && len >= sizeof(t->event)) {
		memcpy(&t->event, content, sizeof(t->event));
		t->has_event = true;
		return true;
	}
	if (kind != CHANNEL_DEBUG_REPLY || len < sizeof(reply))
		return kind == CHANNEL_DEBUG_REPLY || kind == CHANNEL_DEBUG_EVENT;
	memcpy(&reply, content, sizeof(reply));
	len -= sizeof(reply);
	if (reply.id != t->awaited || len > sizeof(t->data))
		return true;
	t->has_reply = true;
	t->result = reply.result;
	t->data_len = len;
	memcpy(t->data, (const uint8_t *)content + sizeof(reply), len);
	return true;
}

static int wait_reply(struct target *t)
{
	while (!t->has_reply) {
		struct pollfd in = {t->channel->fd, POLLIN, 0};

		if (t->channel->fd < 0)
			return -ENOTCONN;
		if (poll(&in, 1, -1) < 0 && errno != EINTR)
			return -errno;
		if (in.revents && channel_read(t->channel) < 0)
			return -ENOTCONN;
	}
	return t->result;
}

static int ask(struct target *t, struct debug_request r, const void *data, size_t len)
{
	static uint8_t frame[sizeof(r) + DEBUG_DATA_MAX];

	if (len > DEBUG_DATA_MAX)
		return -EINVAL;
	r.id = t->awaited = ++t->last_id;
	t->has_reply = false;
	memcpy(frame, &r, sizeof(r));
	if (len)
		memcpy(frame + sizeof(r), data, len);
	if (t->channel->fd < 0 ||
		channel_send(t->channel, CHANNEL_DEBUG, frame, sizeof(r) + len) < 0)
		return -ENOTCONN;
	return wait_reply(t);
}

int target_attach(struct target *t, unsigned flags)
{
	return ask(t, (struct debug_request){.operation = DEBUG_ATTACH, .flags = (uint16_t)flags},
		NULL, 0);
}

int target_detach(struct target *t)
{
	return ask(t, (struct debug_request){.operation = DEBUG_DETACH}, NULL, 0);
}

int target_stop(struct target *t)
{
	return ask(t, (struct debug_request){.operation = DEBUG_STOP}, NULL, 0);
}

int target_kill(struct target *t)
{
	return ask(t, (struct debug_request){.operation = DEBUG_KILL}, NULL, 0);
}

int target_sync(struct target *t)
{
	return ask(t, (struct debug_request){.operation = DEBUG_SYNC}, NULL, 0);
}

int target_resume(struct target *t, const struct debug_action *actions, size_t n, unsigned rest)
{
	t->has_event = false;
	return ask(t, (struct debug_request){.operation = DEBUG_RESUME, .flags = (uint16_t)rest},
		actions, n * sizeof(*actions));
}

int target_threads(struct target *t)
{
	return ask(t, (struct debug_request){.operation = DEBUG_THREADS}, NULL, 0);
}

int target_registers(struct target *t, uint32_t tid)
{
	return ask(t, (struct debug_request){.operation = DEBUG_REGISTERS, .tid = tid}, NULL, 0);
}

int target_set_registers(struct target *t, uint32_t tid, const void *registers, size_t len)
{
	return ask(t, (struct debug_request){.operation = DEBUG_SET_REGISTERS, .tid = tid},
		registers, len);
}

/* Pieces of DEBUG_DATA_MAX; until one is short. */
static int read_pieces(
	struct target *t, struct debug_request r, const char *path, void *to, size_t len)
{
	size_t done = 0;

	while (done < len) {
		size_t want = len - done < DEBUG_DATA_MAX ? len - done : DEBUG_DATA_MAX;

		r.len = (uint32_t)want;
		int n = ask(t, r, path, path ? strlen(path) : 0);

		if (n < 0 && !done)
			return n;
		if (n <= 0 || (size_t)n > want || (size_t)n != t->data_len)
			break;
		memcpy((uint8_t *)to + done, t->data, (size_t)n);
		done += (size_t)n;
		r.address += (uint64_t)n;
		if ((size_t)n < want)
			break;
	}
	return (int)done;
}

int target_read(struct target *t, uint64_t address, void *to, size_t len)
{
	return read_pieces(t, (struct debug_request){.operation = DEBUG_READ, .address = address},
		NULL, to, len);
}

int target_write(struct target *t, uint64_t address, const void *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		size_t n = len - done < DEBUG_DATA_MAX ? len - done : DEBUG_DATA_MAX;
		int err = ask(t,
			(struct debug_request){.operation = DEBUG_WRITE, .address = address + done},
			(const uint8_t *)bytes + done, n);

		if (err < 0)
			return err;
		done += n;
	}
	return 0;
}

int target_read_file(struct target *t, const char *path, uint64_t offset, void *to, size_t len)
{
	return read_pieces(t,
		(struct debug_request){.operation = DEBUG_READ_FILE, .address = offset}, path, to,
		len);
}

int target_read_link(struct target *t, const char *path, char *to, size_t size)
{
	int n = ask(t, (struct debug_request){.operation = DEBUG_READ_LINK}, path, strlen(path));

	if (n < 0)
		return n;
	if (t->data_len >= size)
		return -ENAMETOOLONG;
	memcpy(to, t->data, t->data_len);
	to[t->data_len] = 0;
	return (int)t->data_len;
}

int target_resident(struct target *t, uint64_t address, uint32_t n, uint8_t *to)
{
	int got = ask(t,
		(struct debug_request){.operation = DEBUG_RESIDENT, .address = address, .len = n},
		NULL, 0);

	if (got < 0)
		return got;
	if (t->data_len != n)
		return -EPROTO;
	memcpy(to, t->data, n);
	return 0;
}

int target_watch(struct target *t, const struct debug_watch watches[DEBUG_WATCHES])
{
	return ask(t, (struct debug_request){.operation = DEBUG_WATCH}, watches,
		DEBUG_WATCHES * sizeof(watches[0]));
}
