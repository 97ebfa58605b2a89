/*
 * Random bytes: a ChaCha20 generator (RFC 8439) per CPU, reseeded from one pool.  Never blocks.
 * The sources (RDRAND, virtio-rng, boot seed, interrupt times) are handed in by who has them.
 */
#pragma once

#include "kernel/lib/base.h"

void random_mix(const void *bytes, size_t n); /* any context */
void random_bytes(void *to, size_t n);        /* any context */
uint64_t random_u64(void);
