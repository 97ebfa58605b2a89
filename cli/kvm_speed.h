/* How fast this host runs kernel code under KVM; some nested hosts emulate it. */
#pragma once

#include <stdint.h>

#include "cli/report.h"

struct kvm_speed {
	uint64_t instructions_per_second;
	uint32_t tsc_khz; /* of a virtual CPU; 0 when KVM does not say */
};

/*
 * Runs a small loop in ring 0 of a virtual CPU for at most 100 ms.  -ENOENT without /dev/kvm,
 * -EACCES when this user may not use it, other -Exxx when KVM fails; silently.
 */
int kvm_speed_measure(struct kvm_speed *) must_check;
