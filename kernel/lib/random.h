/*
 * Random bytes: a ChaCha20 generator (RFC 8439) with a key that changes after every request, fed
 * from a pool.  Never blocks, takes no lock.
 * The sources (RDRAND, virtio-rng, boot seed, interrupt times) are handed in by who has them.
 */
#pragma once

#include "kernel/lib/base.h"

void random_mix(const void *bytes, size_t n); /* any context */
void random_bytes(void *to, size_t n);        /* any context */
uint64_t random_u64(void);

/* The cipher itself, RFC 8439 2.3: one block from constants, key, counter and nonce. */
void random_chacha20_block(uint32_t out[16], const uint32_t in[16]);
