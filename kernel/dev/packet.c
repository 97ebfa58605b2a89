/*
 * Packets: descriptor and buffer in one heap block.  Two sizes cover nearly all (a bare header, a
 * full frame) and are kept in small per-CPU stacks, so that steady traffic never reaches the heap.
 */
#include "kernel/dev/netif.h"
#include "kernel/mem/heap.h"

#define SMALL_BLOCK 1024u
#define FRAME_BLOCK 2048u
#define KEPT_MAX 128u /* of each size, per CPU */

struct stack {
	struct packet *top; /* linked through link.next */
	unsigned n;
};

/* Used by its CPU alone, interrupts off. */
static struct stack kept[CPU_MAX][2];

static const uint32_t block_size[] = {SMALL_BLOCK, FRAME_BLOCK};

#define BUFFER_OFFSET align_up(sizeof(struct packet), 16)

static struct packet *take_kept(unsigned size_class)
{
	irq_state state = irq_save();
	struct stack *s = &kept[cpu_id()][size_class];
	struct packet *p = s->top;
	if (p) {
		s->top = (struct packet *)p->link.next;
		s->n--;
	}
	irq_restore(state);
	return p;
}

static bool keep(struct packet *p, unsigned size_class)
{
	irq_state state = irq_save();
	struct stack *s = &kept[cpu_id()][size_class];
	bool room = s->n < KEPT_MAX;
	if (room) {
		p->link.next = (struct list *)s->top;
		s->top = p;
		s->n++;
	}
	irq_restore(state);
	return room;
}

/* All but buffer, size, start and the fragments; written out, since it happens for every packet. */
static inline void clear(struct packet *p)
{
	list_init(&p->link);
	p->netif = NULL;
	p->len = 0;
	p->flags = p->n_fragments = 0;
	p->gso_size = 0;
	p->checksum_start = p->checksum_offset = 0;
	p->network = p->transport = 0;
	p->owner[0] = p->owner[1] = p->owner[2] = p->owner[3] = p->owner[4] = 0;
	p->release = NULL;
}

struct packet *packet_alloc(size_t len)
{
	if (len > UINT32_MAX / 2)
		return NULL;
	size_t whole = BUFFER_OFFSET + PACKET_HEADROOM + len;
	struct packet *p = NULL;
	if (whole <= FRAME_BLOCK) {
		unsigned size_class = whole > SMALL_BLOCK;
		whole = block_size[size_class];
		p = take_kept(size_class);
	}
	if (!p)
		p = heap_alloc(whole);
	if (!p)
		return NULL;
	clear(p);
	p->buffer = (uint8_t *)p + BUFFER_OFFSET;
	p->size = (uint32_t)(whole - BUFFER_OFFSET);
	p->start = PACKET_HEADROOM;
	return p;
}

/* Iteratively: a chain may be long. */
static void free_rest(struct packet *p)
{
	struct packet *rest = packet_unchain(p);
	while (rest) {
		struct packet *next = packet_unchain(rest);
		packet_free(rest);
		rest = next;
	}
}

void packet_free(struct packet *p)
{
	if (unlikely(p->flags & PACKET_CHAINED))
		free_rest(p);
	if (p->release) {
		p->release(p);
		return;
	}
	for (unsigned i = 0; i < p->n_fragments; i++)
		page_put(p->fragments[i].page);
	size_t whole = BUFFER_OFFSET + p->size;
	if (whole == SMALL_BLOCK && keep(p, 0))
		return;
	if (whole == FRAME_BLOCK && keep(p, 1))
		return;
	heap_free(p);
}
