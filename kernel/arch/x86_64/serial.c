/* The 16550 at 0x3f8, polled: where the kernel's log goes until kernel/dev has a console. */
#include "kernel/arch/io.h"
#include "kernel/arch/x86_64/local.h"

#define COM1 0x3f8
#define LINE_STATUS 5
#define STATUS_TX_EMPTY 0x20
#define SPINS_MAX 100000 /* a port that never gets ready is not there */

static void put(char c)
{
	for (unsigned i = 0; i < SPINS_MAX; i++)
		if (io_in8(COM1 + LINE_STATUS) & STATUS_TX_EMPTY)
			break;
	io_out8(COM1, (uint8_t)c);
}

void serial_write(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		put(text[i]);
}
