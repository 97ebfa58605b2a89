/* The words every file uses: fixed-width types, attributes, small arithmetic. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define must_check __attribute__((warn_unused_result))
#define printf_like(fmt, first) __attribute__((format(printf, fmt, first)))
#define packed __attribute__((packed))
#define aligned_to(n) __attribute__((aligned(n)))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define array_size(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
/* min and max evaluate each side once and nest: every use names its copies anew. */
#define paste_(a, b) a##b
#define paste(a, b) paste_(a, b)
#define pick_(a, b, op, copy_a, copy_b)                                                            \
	({                                                                                         \
		__typeof__(a) copy_a = (a);                                                        \
		__typeof__(b) copy_b = (b);                                                        \
		copy_a op copy_b ? copy_a : copy_b;                                                \
	})
#define min(a, b) pick_(a, b, <, paste(pick_a_, __COUNTER__), paste(pick_b_, __COUNTER__))
#define max(a, b) pick_(a, b, >, paste(pick_a_, __COUNTER__), paste(pick_b_, __COUNTER__))

/* n is a power of two. */
#define align_up(x, n) (((x) + ((__typeof__(x))(n)-1)) & ~((__typeof__(x))(n)-1))
#define align_down(x, n) ((x) & ~((__typeof__(x))(n)-1))
#define is_aligned(x, n) (((x) & ((__typeof__(x))(n)-1)) == 0)
#define div_round_up(x, n) (((x) + (n)-1) / (n))

/* Every port has 4 KB base pages and 2 MB large pages. */
#define PAGE_SHIFT 12
#define PAGE_SIZE 4096ul
#define LARGE_PAGE_SIZE (2ul << 20)

#define NS_PER_US 1000ul
#define NS_PER_MS 1000000ul
#define NS_PER_S 1000000000ul
#define NO_DEADLINE UINT64_MAX /* of any "deadline_ns" parameter: wait for ever */
