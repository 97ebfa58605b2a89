/*
 * Port contract, for kernel/dev: device registers.  Memory windows come from mmu_map_device().
 * Accesses happen once, in program order, with the width said, little-endian.
 */
#pragma once

#include "kernel/lib/base.h"

/* From the port, inline: io_in8/16/32(), io_out8/16/32() (x86's port space; IO_HAS_PORTS says
 * whether there is one, without it they assert), io_barrier() (order of device accesses, against
 * the compiler and the CPU), io_fence() (order of ordinary memory and device accesses). */
#include "machine/io.h"

static inline uint8_t mmio_read8(const volatile void *at)
{
	uint8_t x = *(const volatile uint8_t *)at;
	io_barrier();
	return x;
}

static inline uint16_t mmio_read16(const volatile void *at)
{
	uint16_t x = *(const volatile uint16_t *)at;
	io_barrier();
	return x;
}

static inline uint32_t mmio_read32(const volatile void *at)
{
	uint32_t x = *(const volatile uint32_t *)at;
	io_barrier();
	return x;
}

static inline uint64_t mmio_read64(const volatile void *at)
{
	uint64_t x = *(const volatile uint64_t *)at;
	io_barrier();
	return x;
}

static inline void mmio_write8(volatile void *at, uint8_t x)
{
	io_barrier();
	*(volatile uint8_t *)at = x;
}

static inline void mmio_write16(volatile void *at, uint16_t x)
{
	io_barrier();
	*(volatile uint16_t *)at = x;
}

static inline void mmio_write32(volatile void *at, uint32_t x)
{
	io_barrier();
	*(volatile uint32_t *)at = x;
}

static inline void mmio_write64(volatile void *at, uint64_t x)
{
	io_barrier();
	*(volatile uint64_t *)at = x;
}
