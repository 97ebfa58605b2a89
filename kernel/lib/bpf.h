/*
 * Classic BPF: programs of 32-bit instructions on an accumulator, an index register and 16 cells, which look at one
 * piece of data and return a number.  They can only jump forward, so they end.
 */
#pragma once

#include "abi/linux/seccomp.h"
#include "kernel/lib/base.h"

/* What the data is. */
enum bpf_data {
	BPF_PACKET, /* bytes in network order: loads of 1, 2 and 4 bytes anywhere; beyond the end: the result is 0 */
	BPF_SECCOMP, /* struct linux_seccomp_data: aligned words in host order, checked when the program is */
};

/* Is it a program that bpf_run() can run?  1 <= n <= BPF_MAXINSNS; scratch: n of them. */
bool bpf_check(
	const struct linux_sock_filter *program, unsigned n, enum bpf_data kind, uint16_t *scratch);
/* The result of a program that was checked. */
uint32_t bpf_run(const struct linux_sock_filter *program, enum bpf_data kind, const void *data,
	uint32_t size);
