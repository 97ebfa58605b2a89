/*
 * The 16550 serial port at 0x3f8: what a PC, microvm and most monitors have.  Transmission is
 * a FIFO's worth per look at the line status; reception by interrupt, stopped while the
 * console has no room.
 */
#include "kernel/arch/cpu.h"
#include "kernel/arch/io.h"
#include "kernel/arch/irq.h"
#include "kernel/dev/console_device.h"
#include "kernel/dev/uart16550.h"
#include "kernel/lib/log.h"

#define PORT 0x3f8
#define LINE 4

#define DATA (PORT + 0)       /* divisor, low, with LCR_DIVISOR */
#define INTERRUPTS (PORT + 1) /* divisor, high */
#define FIFO_CONTROL (PORT + 2)
#define LINE_CONTROL (PORT + 3)
#define MODEM_CONTROL (PORT + 4)
#define LINE_STATUS (PORT + 5)
#define SCRATCH (PORT + 7)

#define IER_RECEIVED 0x01
#define FCR_ENABLE_CLEAR_8 0x87 /* FIFOs on and empty, interrupt at 8 bytes or on a pause */
#define LCR_8N1 0x03
#define LCR_DIVISOR 0x80
#define MCR_DTR_RTS_OUT2 0x0b /* OUT2 gates the interrupt */
#define LSR_RECEIVED 0x01
#define LSR_CAN_SEND 0x20

#define FIFO_SIZE 16u
static struct spinlock receive_lock = SPINLOCK_INIT;
/* under receive_lock: a byte that was read but found no room */
static bool has_pending;
static char pending;

static size_t uart_write(struct console_device *d, const char *text, size_t len)
{
	(void)d;
	size_t n = 0;
	while (n < len && io_in8(LINE_STATUS) & LSR_CAN_SEND)
		for (unsigned i = 0; i < FIFO_SIZE && n < len; i++)
			io_out8(DATA, (uint8_t)text[n++]);
	return n;
}

static void uart_resume(struct console_device *d);
static struct console_device uart = {.name = "ttyS0", .write = uart_write, .resume = uart_resume};

/* receive_lock.  False: the console is full. */
static bool drain(void)
{
	while (has_pending || io_in8(LINE_STATUS) & LSR_RECEIVED) {
		if (!has_pending)
			pending = (char)io_in8(DATA);
		has_pending = console_input(&uart, &pending, 1) == 0;
		if (has_pending)
			return false;
	}
	return true;
}

static void receive(void)
{
	irq_state state = spin_lock(&receive_lock);
	io_out8(INTERRUPTS, drain() ? IER_RECEIVED : 0);
	spin_unlock(&receive_lock, state);
}

static void interrupt(void *arg)
{
	(void)arg;
	receive();
}

static void uart_resume(struct console_device *d)
{
	(void)d;
	receive();
}

static bool present(void)
{
	io_out8(SCRATCH, 0x5a);
	if (io_in8(SCRATCH) != 0x5a)
		return false;
	io_out8(SCRATCH, 0xa5);
	return io_in8(SCRATCH) == 0xa5;
}

void uart16550_probe(void)
{
	if (!IO_HAS_PORTS || !present())
		return;
	io_out8(INTERRUPTS, 0);
	io_out8(LINE_CONTROL, LCR_DIVISOR);
	io_out8(DATA, 1); /* 115200 baud */
	io_out8(INTERRUPTS, 0);
	io_out8(LINE_CONTROL, LCR_8N1);
	io_out8(FIFO_CONTROL, FCR_ENABLE_CLEAR_8);
	io_out8(MODEM_CONTROL, MCR_DTR_RTS_OUT2);
	console_register(&uart);
	if (irq_request_line(LINE, 0, interrupt, NULL) < 0)
		log_warn("ttyS0: no interrupt line %d, no input", LINE);
}
