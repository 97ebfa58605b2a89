/* Heap: sizes, alignment, contents kept apart, everything comes back. */
#include <stdlib.h>
#include <string.h>

#include "kernel/arch/host/host.h"
#include "kernel/lib/assert.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/page.h"

#define N 2000

static struct {
	uint8_t *at;
	size_t size;
	uint8_t value;
} blocks[N];

static uint64_t heap_pages(void)
{
	struct memory_usage u;
	page_usage(&u);
	return u.heap;
}

static size_t some_size(void)
{
	switch (rand() % 8) {
	case 0:
		return (size_t)rand() % 20000;
	case 1:
		return (size_t)rand() % 4097;
	default:
		return (size_t)rand() % 600;
	}
}

static void check(unsigned i)
{
	for (size_t k = 0; k < blocks[i].size; k++)
		assert(blocks[i].at[k] == blocks[i].value);
}

static void take(unsigned i)
{
	size_t size = some_size();
	bool cleared = rand() % 2;
	uint8_t *at = cleared ? heap_zalloc(size) : heap_alloc(size);
	assert(at != NULL && is_aligned((uintptr_t)at, 16));
	assert(size < 4096 || is_aligned((uintptr_t)at, PAGE_SIZE));
	for (size_t k = 0; k < size && cleared; k++)
		assert(at[k] == 0);
	blocks[i].at = at;
	blocks[i].size = size;
	blocks[i].value = (uint8_t)rand();
	memset(at, blocks[i].value, size);
}

static void resize(unsigned i)
{
	size_t size = some_size() + 1;
	uint8_t *new = heap_resize(blocks[i].at, size);
	assert(new != NULL);
	for (size_t k = 0; k < min(size, blocks[i].size); k++)
		assert(new[k] == blocks[i].value);
	blocks[i].at = new;
	blocks[i].size = size;
	memset(new, blocks[i].value, size);
}

int main(void)
{
	host_memory_init(64ul << 20);
	for (int round = 0; round < 60000; round++) {
		unsigned i = (unsigned)rand() % N;
		if (blocks[i].at == NULL) {
			take(i);
			continue;
		}
		check(i);
		if (rand() % 3 == 0) {
			resize(i);
			continue;
		}
		heap_free(blocks[i].at);
		blocks[i].at = NULL;
	}
	for (unsigned i = 0; i < N; i++)
		heap_free(blocks[i].at);
	/* What the CPU's magazines still hold pins some slabs. */
	assert(heap_pages() < 100);

	assert(heap_alloc((2ul << 20) + 1) == NULL);
	assert(heap_array(SIZE_MAX / 2, 3) == NULL);
	void *large = heap_alloc(2ul << 20);
	assert(large != NULL);
	heap_free(large);
	heap_free(NULL);
	char *copy = heap_string("text");
	assert(strcmp(copy, "text") == 0);
	heap_free(copy);
	page_alloc_fail_after(0);
	assert(heap_alloc(8192) == NULL);
	return 0;
}
