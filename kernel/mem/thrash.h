/*
 * A machine too small for its program: pages of code are evicted and needed again at once, for ever.  Data may be read over and
 * over by design (a database larger than memory); code that runs is marked as used, so it goes only when nothing else can.
 */
#pragma once

#include "kernel/lib/base.h"

struct page_cache;

/* A clean page left memory.  Any context. */
void thrash_evicted(const struct page_cache *c, uint64_t index);
/* A page of code is read from its file.  -ENOMEM: this happens so often that the program can not go on. */
int thrash_check_code(const struct page_cache *c, uint64_t index) must_check;
