/*
 * The program's address space: areas (VMAs) in a tree ordered by address, filled page by page on
 * faults.  There is one; tests on a host make more.
 *
 * Locking: the owner (kernel/proc) has a sleeping reader-writer lock.  "W": the caller holds it for
 * writing; "R": for reading at least.  Functions that may wait for a disk say "sleeps".
 * Page tables have a spinlock per address space inside; a fault of anonymous memory takes none.
 */
#pragma once

#include "kernel/arch/mmu.h"
#include "kernel/lib/tree.h"
#include "kernel/mem/page_cache.h"

/* Permissions are MMU_READ, MMU_WRITE, MMU_EXEC (0: PROT_NONE). */
#define AREA_SHARED 1u /* writes go to the cache; otherwise private copy on write */
#define AREA_STACK 2u  /* grows down on faults, to limit, keeping a guard gap below */
#define AREA_NO_RESERVE 4u
#define AREA_LOCKED 8u
#define AREA_SPECIAL 16u /* pages given by area_pages (vDSO); never unmapped page by page */
#define AREA_HEAP 32u    /* brk(2) */
#define AREA_NO_HUGE 64u /* MADV_NOHUGEPAGE */
#define AREA_HUGE 128u   /* MADV_HUGEPAGE */
#define AREA_DONTDUMP 256u
#define AREA_WIPE_ON_FORK 512u

struct area {
	struct tree_node node; /* address_space.areas */
	uintptr_t start, end;  /* page-aligned, end exclusive */
	unsigned prot, flags;
	unsigned
		max_prot; /* what mprotect(2) may give: a shared map of a read-only file lacks MMU_WRITE */
	struct page_cache *cache; /* NULL: anonymous private */
	uint64_t offset;          /* of start in the cache, bytes, page-aligned */
	const void *const *pages; /* AREA_SPECIAL: direct-map addresses, one per page */
	char *name;          /* for /proc/self/maps: a path or "[heap]"; heap_alloc'd, or NULL */
	uint64_t id, device; /* inode and device numbers, for /proc/self/maps */
};

struct address_space {
	struct mmu mmu;
	struct tree areas;
	struct area *_Atomic last_hit; /* a hint; cleared under W */
	uintptr_t mmap_top;            /* new areas are placed below */
	uintptr_t brk_start, brk;      /* the heap; brk not page-aligned */
	uint64_t total_bytes;          /* mapped */
	uint64_t limit_bytes;          /* RLIMIT_AS, UINT64_MAX: none */
	uint64_t data_limit_bytes;     /* RLIMIT_DATA */
	uint64_t stack_limit_bytes;
	unsigned n_areas;
	/* No gap above gap_top is larger than gap_largest: where to look for room.  Under W. */
	uintptr_t gap_top, gap_largest;
	struct spinlock
		lock; /* held for edits of page tables but mmu_map(); stacks grow under it and R */
	atomic_uint lock_holder;    /* CPU + 1, or 0 */
	atomic_long n_trimmable;    /* entries of file pages */
	uintptr_t trim_at;          /* where the next look for pages to trim starts; under lock */
	uintptr_t cut_at;           /* and for large pages to cut */
	atomic_long large_pages;    /* entries of 2 MB */
	atomic_bool no_large_pages; /* PR_SET_THP_DISABLE */
	atomic_bool deny_exec_gain; /* PR_SET_MDWE: what can be written, or could, never executes */
	_Atomic uint64_t resident_pages, minor_faults, major_faults;
};

int address_space_init(struct address_space *s, uintptr_t mmap_top) must_check;
/* W: unmap everything and free the page tables (exec, exit); it may be used again. */
void address_space_clear(struct address_space *s);

struct map_request {
	uintptr_t address;              /* a hint, or with MAP_AT exactly there */
	size_t length;                  /* > 0; rounded up to pages */
	unsigned how;                   /* MAP_AT... */
	unsigned prot, max_prot, flags; /* as in struct area */
	struct page_cache *cache;       /* a reference is taken through its ops */
	uint64_t offset;
	const void *const *pages;
	const char *name; /* copied */
	uint64_t id, device;
};
#define MAP_AT 1u           /* at address, replacing what is there (MAP_FIXED) */
#define MAP_AT_NEW 2u       /* at address, -EEXIST if something is there (MAP_FIXED_NOREPLACE) */
#define MAP_LOW 4u          /* below 2 GB (MAP_32BIT) */
#define MAP_POPULATE_NOW 8u /* no faults later; sleeps */

/* W.  mmap(2): 0 and the address, or -ENOMEM, -EINVAL, -EEXIST. */
int address_space_map(
	struct address_space *s, const struct map_request *r, uintptr_t *out) must_check;
/* W.  munmap(2): -EINVAL, -ENOMEM. */
int address_space_unmap(struct address_space *s, uintptr_t start, size_t length) must_check;
/* W.  mprotect(2): -ENOMEM for a hole, -EACCES beyond max_prot, and for deny_exec_gain. */
int address_space_protect(
	struct address_space *s, uintptr_t start, size_t length, unsigned prot) must_check;
/* W.  mremap(2) with its MREMAP_ flags: the new address in out. */
int address_space_remap(struct address_space *s, uintptr_t old, size_t old_length,
	size_t new_length, unsigned flags, uintptr_t new, uintptr_t *out) must_check;
/* W.  remap_file_pages(2): [start, start + length), of one shared map, shows the file from that page on.  -EINVAL, -ENOMEM. */
int address_space_remap_file(
	struct address_space *s, uintptr_t start, size_t length, uint64_t page) must_check;
/* W.  madvise(2) with Linux's numbers; unknown advice -EINVAL. */
int address_space_advise(
	struct address_space *s, uintptr_t start, size_t length, int advice) must_check;
/* W.  brk(2): the new break, or the old one when it can not be. */
uintptr_t address_space_brk(struct address_space *s, uintptr_t new_brk);

/* R, sleeps.  Resolve a fault.  access: FAULT_* of upcall.h.
 * 0: try again.  -EFAULT: no area (SEGV_MAPERR).  -EACCES: not allowed (SEGV_ACCERR).
 * -EIO: beyond the end of the file or unreadable (SIGBUS).  -ENOMEM: out of memory.
 * A stack grows under R, too. */
int address_space_fault(struct address_space *s, uintptr_t address, unsigned access) must_check;

/* R.  The area that holds address, or NULL; area_at_or_after: or the next one above. */
struct area *area_at(struct address_space *s, uintptr_t address);
struct area *area_at_or_after(struct address_space *s, uintptr_t address);

/* W.  Change flags of all areas in the range (mlock(2), munlock(2)).  -ENOMEM for a hole. */
int address_space_flag(struct address_space *s, uintptr_t start, size_t length, unsigned set,
	unsigned clear) must_check;
/* R, sleeps.  Bring the range in, for writing where that is allowed; what fails stays out. */
void address_space_populate(struct address_space *s, uintptr_t start, size_t length);
/* Any context.  Unmap up to n clean file pages not used since the last time, so that they can be
 * evicted; how many went.  page_alloc() does this when memory is short. */
unsigned long address_space_trim(struct address_space *s, unsigned long n);

/* W.  Take pages of that cache from byte offset `from` on out of all mappings (truncate). */
void address_space_unmap_cache(struct address_space *s, struct page_cache *c, uint64_t from);

/* Which anonymous memory is given in large pages: everything, what MADV_HUGEPAGE asks for, nothing.  For all spaces. */
enum large_policy { LARGE_ALWAYS, LARGE_ADVISED, LARGE_NEVER };
void large_set_policy(enum large_policy p);
enum large_policy large_get_policy(void);
/* R.  Large pages of the area that are in memory. */
uint64_t area_large_pages(struct address_space *s, const struct area *a);

/* R.  Pages [first, first + n) of that cache are about to be written back: the next write to a shared mapping of one
 * faults and makes it dirty again. */
void address_space_clean_cache(
	struct address_space *s, struct page_cache *c, uint64_t first, uint64_t n);

/* vm.overcommit_memory, in its order; for all spaces. */
enum commit_mode { COMMIT_GUESS, COMMIT_ALWAYS, COMMIT_STRICT };
void commit_set_mode(enum commit_mode m);
enum commit_mode commit_get_mode(void);
/* R.  May so much more be promised?  -ENOMEM. */
int commit_check(struct address_space *s, size_t bytes) must_check;
uint64_t commit_limit_pages(void);
/* R.  What is promised: private memory that may be written. */
uint64_t commit_used_pages(struct address_space *s);

/* R.  mincore(2): one byte per page. */
void address_space_residency(
	struct address_space *s, uintptr_t start, size_t n_pages, uint8_t *out);
/* R.  One line of /proc/self/maps, with its newline; its length, or size when it was cut. */
int area_describe(const struct area *a, char *buf, size_t size);
/* R.  Pages of the area that are in memory. */
uint64_t area_resident_pages(struct address_space *s, const struct area *a);
