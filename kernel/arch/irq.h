/*
 * Port contract 5/6: interrupts of devices.  A handler runs with interrupts off and never sleeps;
 * handlers are never taken back.
 */
#pragma once

#include "kernel/lib/base.h"

typedef void (*irq_handler)(void *arg);

#define IRQ_LEVEL 1u      /* level triggered; edge otherwise */
#define IRQ_ACTIVE_LOW 2u /* high otherwise */

/* A line of the interrupt controller (x86: global system interrupt).  Several handlers may share a
 * level line.  -EINVAL: no such line; -ENOSPC, -ENOMEM. */
int irq_request_line(unsigned line, unsigned flags, irq_handler handler, void *arg) must_check;

/* A message-signalled interrupt to that CPU: what to write into the device's MSI-X table. */
struct irq_message {
	uint64_t address;
	uint32_t data;
};
int irq_request_message(
	unsigned cpu, irq_handler handler, void *arg, struct irq_message *out) must_check;
