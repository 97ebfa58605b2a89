/*
 * The console: one of the registered devices, a ring of bytes that came in, and the log's sink.
 * Input that nobody reads stays in the ring, and then in the device, so that nothing is lost of a
 * stream piped into the machine.
 */
#include "kernel/dev/console.h"
#include "abi/boot.h"
#include "abi/linux/errno.h"
#include "abi/linux/signal.h"
#include "kernel/arch/cpu.h"
#include "kernel/arch/timer.h"
#include "kernel/dev/console_device.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

#define DEVICES_MAX 4u
#define RING_SIZE 2048u /* a power of two */
#define READABLE 1u     /* EPOLLIN */
#define WAIT_MAX_NS (2 * NS_PER_S)

static struct console_device *devices[DEVICES_MAX];
static unsigned n_devices;
static struct console_device *chosen;

static struct spinlock write_lock = SPINLOCK_INIT;
static atomic_uint writer; /* CPU that holds write_lock, plus one */
static struct spinlock read_lock = SPINLOCK_INIT;
/* under read_lock: */
static char ring[RING_SIZE];
static unsigned head, tail; /* free-running: put at head, taken at tail */
static bool held_back;
static bool escaped; /* the byte before was BOOT_CONTROL */
static bool ended;   /* BOOT_CONTROL_END came: no more input */

/* Set once, before input is looked at: input is framed as abi/boot.h says. */
static void (*control)(int signal);

static struct wait_queue readable = {SPINLOCK_INIT, LIST_INIT(readable.waiters)};

void console_register(struct console_device *d)
{
	if (n_devices < DEVICES_MAX)
		devices[n_devices++] = d;
}

static void sink(const char *text, size_t len)
{
	console_write(text, len);
}

void console_init(const char *name)
{
	if (name && strcmp(name, "none") == 0)
		return;
	for (unsigned i = 0; i < n_devices && !chosen; i++) {
		/* "ttyS0,115200n8": the name ends at the comma */
		size_t len = strlen(devices[i]->name);
		bool named = name && strncmp(name, devices[i]->name, len) == 0 &&
			     (name[len] == '\0' || name[len] == ',');
		if (!name || named)
			chosen = devices[i];
	}
	if (!chosen)
		return;
	log_set_sink(sink);
	irq_state state = irq_save();
	chosen->resume(chosen);
	irq_restore(state);
}

size_t console_write_some(const char *text, size_t len)
{
	if (!chosen)
		return len;
	irq_state state = irq_save();
	size_t taken;
	if (atomic_load(&writer) == cpu_id() + 1) {
		/* A fault inside write(): its report must come out all the same. */
		taken = chosen->write(chosen, text, len);
	} else {
		spin_lock_nested(&write_lock);
		atomic_store(&writer, cpu_id() + 1);
		taken = chosen->write(chosen, text, len);
		atomic_store(&writer, 0);
		spin_unlock_nested(&write_lock);
	}
	irq_restore(state);
	return taken;
}

void console_write(const char *text, size_t len)
{
	static atomic_bool stuck; /* it was waited for in vain */
	uint64_t give_up_ns = 0;
	while (len > 0) {
		size_t n = console_write_some(text, len);
		text += n;
		len -= n;
		if (n > 0) {
			give_up_ns = 0;
			atomic_store(&stuck, false);
			continue;
		}
		uint64_t now = clock_monotonic_ns();
		if (give_up_ns == 0)
			give_up_ns = now + (atomic_load(&stuck) ? 0 : WAIT_MAX_NS);
		if (now >= give_up_ns) {
			atomic_store(&stuck, true);
			return;
		}
		cpu_relax();
	}
}

void console_set_control(void (*signal)(int signal))
{
	control = signal;
}

/* False: no room. */
static bool put(char c)
{
	if (head - tail == RING_SIZE)
		return false;
	ring[head++ % RING_SIZE] = c;
	return true;
}

/* One byte of framed input; a signal it asks for goes into *signal. */
static bool put_framed(char c, int *signal)
{
	if (!escaped && c == BOOT_CONTROL) {
		escaped = true;
		return true;
	}
	if (!escaped || c == BOOT_CONTROL) {
		bool taken = put(c);
		escaped &= !taken;
		return taken;
	}
	escaped = false;
	switch (c) {
	case BOOT_CONTROL_END:
		ended = true;
		break;
	case BOOT_CONTROL_TERMINATE:
		*signal = SIGTERM;
		break;
	case BOOT_CONTROL_INTERRUPT:
		*signal = SIGINT;
		break;
	case BOOT_CONTROL_HANGUP:
		*signal = SIGHUP;
		break;
	}
	return true;
}

size_t console_input(struct console_device *d, const char *bytes, size_t n)
{
	if (d != chosen)
		return 0;
	int signal = 0;
	size_t taken = 0;
	irq_state state = spin_lock(&read_lock);
	while (taken < n && !signal &&
		(control ? put_framed(bytes[taken], &signal) : put(bytes[taken])))
		taken++;
	taken += signal != 0; /* its byte was the last one looked at */
	held_back |= taken < n;
	spin_unlock(&read_lock, state);
	if (signal)
		control(signal);
	if (taken > 0)
		wait_wake(&readable, READABLE);
	return taken;
}

long console_read(char *to, size_t size)
{
	irq_state state = spin_lock(&read_lock);
	size_t n = min(size, (size_t)(head - tail));
	for (size_t i = 0; i < n; i++)
		to[i] = ring[(tail + i) % RING_SIZE];
	tail += (unsigned)n;
	bool resume = held_back && n > 0, end = ended && n == 0;
	held_back &= !resume;
	spin_unlock(&read_lock, state);
	if (resume) {
		state = irq_save();
		chosen->resume(chosen);
		irq_restore(state);
	}
	return n > 0 || end ? (long)n : -EAGAIN;
}

struct wait_queue *console_readable(void)
{
	return &readable;
}

bool console_has_input(void)
{
	return __atomic_load_n(&head, __ATOMIC_ACQUIRE) != tail || ended;
}
