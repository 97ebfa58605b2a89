/*
 * Profiling over the host channel: CHANNEL_PROFILE switches it on and off, CHANNEL_SAMPLES brings
 * what was seen on one CPU.
 */
#pragma once

#include <stdint.h>

/* Profiling ends by itself after limit_ms unless this is sent again. */
struct profile_request {
	uint32_t hz; /* samples per second and CPU; 0: off */
	uint32_t limit_ms;
};
#define PROFILE_HZ_MAX 10000u

/* A frame: this, then whole samples. */
struct profile_batch {
	uint32_t cpu;
	uint32_t lost; /* samples there was no room for, since the batch before */
	uint32_t last; /* not 0: profiling is off from here on */
	uint32_t reserved;
};

/* One moment of a busy CPU.  Behind it n_kernel + n_user addresses (uint64_t), innermost first;
 * those behind the first of each kind are return addresses. */
struct profile_sample {
	uint32_t tid; /* 0: a thread of the kernel's own */
	uint16_t n_kernel, n_user;
	char name[16]; /* of the thread; cut without a NUL */
};
#define PROFILE_DEPTH_MAX 127u /* addresses of each kind */
