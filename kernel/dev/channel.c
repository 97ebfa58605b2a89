/*
 * The host channel: whole frames over a device that takes and gives bytes.  Senders take turns; one
 * thread reads what the host says.
 */
#include "kernel/dev/channel.h"

#include "abi/linux/errno.h"
#include "kernel/arch/timer.h"
#include "kernel/dev/channel_device.h"
#include "kernel/lib/log.h"
#include "kernel/mem/heap.h"
#include "kernel/sched/lock.h"
#include "kernel/sched/thread.h"

#define WRITABLE 4u /* EPOLLOUT */
#define READABLE 1u /* EPOLLIN */
#define DRAIN_MAX_NS (2 * NS_PER_S)

static bool wanted;
static struct channel_device *device;
static struct mutex turn; /* of senders: a frame is not interrupted */
static struct wait_queue changed;
static atomic_bool ending;
static void (*on_frame)(unsigned kind, const void *content, uint32_t len);

void channel_want(void)
{
	wanted = true;
}

bool channel_wanted(void)
{
	return wanted;
}

bool channel_present(void)
{
	return device != NULL;
}

void channel_on_frame(void (*handler)(unsigned kind, const void *content, uint32_t len))
{
	on_frame = handler;
}

void channel_writable(void)
{
	wait_wake(&changed, WRITABLE);
}

void channel_readable(void)
{
	wait_wake(&changed, READABLE);
}

/* --- to the host --- */

static void send_bytes(const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		size_t n = 0;
		wait_event(&changed, WRITABLE,
			(n = device->write(device, bytes, len)) > 0 || atomic_load(&ending));
		if (n == 0)
			return;
		bytes += n;
		len -= n;
	}
}

void channel_send(unsigned kind, const struct channel_piece *pieces, unsigned n_pieces)
{
	struct channel_frame head = {.kind = (uint16_t)kind};
	for (unsigned i = 0; i < n_pieces; i++)
		head.len += pieces[i].len;
	if (!device || atomic_load(&ending) || head.len > CHANNEL_FRAME_MAX)
		return;
	mutex_lock(&turn);
	send_bytes((const uint8_t *)&head, sizeof(head));
	for (unsigned i = 0; i < n_pieces; i++)
		send_bytes(pieces[i].bytes, pieces[i].len);
	mutex_unlock(&turn);
}

void channel_drain(void)
{
	if (!device)
		return;
	uint64_t give_up_ns = clock_monotonic_ns() + DRAIN_MAX_NS;
	while (device->pending(device) > 0 && clock_monotonic_ns() < give_up_ns)
		cpu_relax();
	atomic_store(&ending, true);
	wait_wake_all(&changed, EVENTS_ALL);
}

/* --- from the host --- */

static void receive(void *to, size_t len)
{
	uint8_t *at = to;
	while (len > 0) {
		wait_event(&changed, READABLE, device->readable(device));
		size_t n = device->read(device, at, len);
		at += n;
		len -= n;
	}
}

/* The host is not trusted with lengths: a frame that is too long makes the rest meaningless. */
static void read_frames(void *unused)
{
	(void)unused;
	struct channel_frame head;
	for (;;) {
		receive(&head, sizeof(head));
		uint8_t *content = head.len > CHANNEL_FRAME_MAX ? NULL : heap_alloc(head.len + 1ul);
		if (!content) {
			log_error("host channel: a frame of %u bytes; nothing more is read",
				head.len);
			thread_exit();
		}
		receive(content, head.len);
		content[head.len] = '\0'; /* for those that hold text */
		if (on_frame)
			on_frame(head.kind, content, head.len);
		heap_free(content);
	}
}

int channel_register(struct channel_device *d)
{
	if (device)
		return -EBUSY;
	mutex_init(&turn);
	wait_queue_init(&changed);
	struct thread *reader = NULL;
	const struct thread_request request = {
		.size = sizeof(struct thread), .name = "channel", .entry = read_frames};
	int err = thread_create(&request, &reader);
	if (err < 0)
		return err;
	device = d;
	thread_start(reader);
	return 0;
}
