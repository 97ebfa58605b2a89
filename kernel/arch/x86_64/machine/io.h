/* x86-64: port I/O and device registers. */
#pragma once

#include "kernel/lib/base.h"

#define IO_HAS_PORTS 1

static inline uint8_t io_in8(uint16_t port)
{
	uint8_t x;
	__asm__ volatile("inb %1, %0" : "=a"(x) : "Nd"(port));
	return x;
}

static inline uint16_t io_in16(uint16_t port)
{
	uint16_t x;
	__asm__ volatile("inw %1, %0" : "=a"(x) : "Nd"(port));
	return x;
}

static inline uint32_t io_in32(uint16_t port)
{
	uint32_t x;
	__asm__ volatile("inl %1, %0" : "=a"(x) : "Nd"(port));
	return x;
}

static inline void io_out8(uint16_t port, uint8_t x)
{
	__asm__ volatile("outb %0, %1" : : "a"(x), "Nd"(port));
}

static inline void io_out16(uint16_t port, uint16_t x)
{
	__asm__ volatile("outw %0, %1" : : "a"(x), "Nd"(port));
}

static inline void io_out32(uint16_t port, uint32_t x)
{
	__asm__ volatile("outl %0, %1" : : "a"(x), "Nd"(port));
}

/* x86 keeps uncached accesses in order; the compiler must too. */
static inline void io_barrier(void)
{
	__asm__ volatile("" ::: "memory");
}

/* Between memory the device reads and the doorbell, or its index and what it wrote (full fence). */
static inline void io_fence(void)
{
	__asm__ volatile("mfence" ::: "memory");
}
