/* The host has no devices: registers are memory that a test plays the device behind. */
#pragma once

#include "kernel/lib/assert.h"
#include "kernel/lib/base.h"

#define IO_HAS_PORTS 0

#define NO_PORTS(width, type)                                                                      \
	static inline type io_in##width(uint16_t port)                                             \
	{                                                                                          \
		panic("port %#x on a host", port);                                                 \
	}                                                                                          \
	static inline void io_out##width(uint16_t port, type x)                                    \
	{                                                                                          \
		panic("port %#x on a host (%#x)", port, (unsigned)x);                              \
	}
NO_PORTS(8, uint8_t)
NO_PORTS(16, uint16_t)
NO_PORTS(32, uint32_t)
#undef NO_PORTS

static inline void io_barrier(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

static inline void io_fence(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}
