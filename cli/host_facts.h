/* What was measured about this host, kept until it boots again. */
#pragma once

#include <stdint.h>

struct host_facts {
	int kvm_error;      /* 0 = KVM works; else an error number */
	uint64_t kvm_speed; /* instructions per second of kernel code */
	uint32_t tsc_khz;   /* the time stamp counter's rate; 0 = unknown or unstable */
};

/* Below this QEMU's translator is faster than KVM. */
#define HOST_KVM_FAST_ENOUGH 200000000u

/* From the cache when it is this boot's, measured (up to 120 ms) and kept otherwise. */
void host_facts_get(struct host_facts *);
