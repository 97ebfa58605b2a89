/* For the drivers of character devices that can be the console. */
#pragma once

#include "kernel/lib/base.h"

struct console_device {
	const char *name; /* as console= has it: "ttyS0" */
	/* As much as the device takes without being waited for.  Calls are serialised, interrupts off. */
	size_t (*write)(struct console_device *d, const char *text, size_t len);
	/* The reader has room again after console_input() refused bytes: hand in what has piled up.
	 * Interrupts off; may call console_input(). */
	void (*resume)(struct console_device *d);
};

/* The device exists from now on, for ever. */
void console_register(struct console_device *d);
/* Bytes arrived, interrupts off; how many were taken.  Less than n: hold the rest back until
 * resume(). */
size_t console_input(struct console_device *d, const char *bytes, size_t n);
