/* Large pages of anonymous areas, inside the address space: large.c. */
#pragma once

#include "kernel/mem/area.h"

/* R.  Enter a large page around va if that is possible and wise: 0; else nothing has changed: -EAGAIN, -ENOMEM,
 * -EEXIST. */
int large_fault(struct address_space *s, const struct area *a, uintptr_t va) must_check;
/* W.  See to it that no large page reaches across that address.  -ENOMEM. */
int large_cut(struct address_space *s, uintptr_t at) must_check;
/* Under the spinlock, and W or in trimming: the large entry e at va becomes small ones.  -ENOMEM. */
int large_split(struct address_space *s, uintptr_t va, const struct mmu_entry *e) must_check;
/* A large entry was taken out of the page tables. */
void large_gone(struct address_space *s);
/* W.  Make large what can be in the part of [start, end) inside a (MADV_COLLAPSE).  -EINVAL, -ENOMEM. */
int large_collapse(
	struct address_space *s, const struct area *a, uintptr_t start, uintptr_t end) must_check;
/* Under the spinlock: take frames that hold only zeroes out of large pages, n or more; how many. */
unsigned long large_trim(struct address_space *s, unsigned long n);
