/* Pages from the device, several in one request: for files and for metadata. */
#include "kernel/fs/ext4/ext4.h"
#include "kernel/lib/string.h"

#define RUN 64u /* what page_cache_find_run() can look at: aligned */

/* How many pages behind index, n at most, are not there. */
static unsigned count_missing(struct page_cache *c, uint64_t index, unsigned n)
{
	struct page *there[EXT4_READ_MAX];
	n = min(n, (unsigned)(RUN - (index + 1) % RUN));
	page_cache_find_run(c, index + 1, n, there);
	unsigned missing = n;
	for (unsigned i = n; i-- > 0;)
		if (there[i]) {
			page_put(there[i]);
			missing = i;
		}
	return missing;
}

/* first, and new pages for those of the n - 1 behind it up to one that is there.  How many. */
static unsigned gather(struct page_cache *c, struct page *first, struct page *pages[], unsigned n)
{
	n = 1 + count_missing(c, first->index, n - 1);
	pages[0] = first;
	for (unsigned have = 1; have < n; have++) {
		pages[have] = page_alloc(0, PAGE_NO_RECLAIM);
		if (!pages[have])
			return have;
	}
	return n;
}

int ext4_read_pages(struct ext4 *fs, struct page_cache *c, struct page *first, unsigned n,
	const struct ext4_extent_bytes *from)
{
	struct page *pages[EXT4_READ_MAX];
	struct block_segment segments[EXT4_READ_MAX];
	uint64_t n_max = min(div_round_up(from->len, PAGE_SIZE), (uint64_t)EXT4_READ_MAX);
	n = gather(c, first, pages, min(n, (unsigned)n_max));
	for (unsigned i = 0; i < n; i++) {
		uint32_t len = (uint32_t)min(from->len - i * PAGE_SIZE, PAGE_SIZE);
		segments[i] = (struct block_segment){page_address(pages[i]), len};
	}
	uint64_t n_lost = page_cache_losses(c);
	int err = block_read_segments(fs->device, from->at, segments, n);
	for (unsigned i = 0; i < n; i++) {
		uint64_t start = i * PAGE_SIZE;
		uint64_t good = from->used > start ? min(from->used - start, PAGE_SIZE) : 0;
		memset((uint8_t *)segments[i].address + good, 0, PAGE_SIZE - good);
		if (i == 0)
			continue;
		/* Somebody else may have been faster: then theirs stays. */
		int added = err < 0 ? err : page_cache_add(c, first->index + i, pages[i], n_lost);
		(void)added;
		page_put(pages[i]);
	}
	return err;
}
