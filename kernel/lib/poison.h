/*
 * Memory that must not be touched: free frames and blocks, in builds under AddressSanitizer (unit tests,
 * fuzzers).  Elsewhere these are nothing, arguments included.
 */
#pragma once

#include "kernel/lib/base.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZE_ADDRESS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZE_ADDRESS 1
#endif

#ifdef SANITIZE_ADDRESS
void __asan_poison_memory_region(const volatile void *start, size_t n);
void __asan_unpoison_memory_region(const volatile void *start, size_t n);
#define poison(start, n) __asan_poison_memory_region(start, n)
#define unpoison(start, n) __asan_unpoison_memory_region(start, n)
#define POISON_GAP 16u /* bytes behind each heap block that belong to nobody */
#else
#define poison(start, n) ((void)0)
#define unpoison(start, n) ((void)0)
#define POISON_GAP 0u
#endif
