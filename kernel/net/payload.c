/* Reading, cutting and filling packets. */
#include "kernel/net/payload.h"

#include "abi/linux/errno.h"
#include "kernel/lib/string.h"

/* The next piece at offset of the data: where, and at most how long. */
static const uint8_t *piece_at(const struct packet *p, uint32_t offset, uint32_t *len)
{
	if (offset < p->len) {
		*len = p->len - offset;
		return p->buffer + p->start + offset;
	}
	offset -= p->len;
	for (unsigned i = 0;; i++) {
		if (unlikely(i == p->n_fragments)) {
			assert(p->flags & PACKET_CHAINED);
			return piece_at((const struct packet *)p->owner[0], offset, len);
		}
		const struct packet_fragment *f = &p->fragments[i];
		if (offset < f->len) {
			*len = f->len - offset;
			return (const uint8_t *)page_address(f->page) + f->offset + offset;
		}
		offset -= f->len;
	}
}

void packet_read(const struct packet *p, uint32_t offset, void *to, uint32_t n)
{
	uint8_t *at = to;
	while (n > 0) {
		uint32_t len = 0;
		const uint8_t *piece = piece_at(p, offset, &len);
		len = min(len, n);
		memcpy(at, piece, len);
		at += len;
		offset += len;
		n -= len;
	}
}

int packet_to_io(const struct packet *p, uint32_t offset, struct io_buffer *to, uint32_t n)
{
	while (n > 0) {
		uint32_t len = 0;
		const uint8_t *piece = piece_at(p, offset, &len);
		len = min(len, n);
		int err = io_buffer_put(to, piece, len);
		if (err < 0)
			return err;
		offset += len;
		n -= len;
	}
	return 0;
}

void packet_trim_front(struct packet *p, uint32_t n)
{
	uint32_t part = min(n, p->len);
	packet_pull(p, part);
	n -= part;
	for (unsigned i = 0; n > 0 && i < p->n_fragments; i++) {
		struct packet_fragment *f = &p->fragments[i];
		part = min(n, f->len);
		f->offset += part;
		f->len -= part;
		n -= part;
	}
}

void packet_trim_back(struct packet *p, uint32_t keep)
{
	uint32_t part = min(keep, p->len);
	p->len = part;
	keep -= part;
	for (unsigned i = 0; i < p->n_fragments; i++) {
		struct packet_fragment *f = &p->fragments[i];
		f->len = min(f->len, keep);
		keep -= f->len;
	}
}

struct packet *packet_copy(const struct packet *p, uint32_t offset, uint32_t n)
{
	struct packet *copy = packet_alloc(n);
	if (!copy)
		return NULL;
	packet_read(p, offset, packet_data(copy), n);
	copy->len = n;
	return copy;
}

static int fill_pages(struct packet *p, struct io_buffer *from, uint32_t n)
{
	while (n > 0) {
		struct page *page = page_alloc(0, 0);
		if (!page)
			return -ENOMEM;
		uint32_t len = min(n, (uint32_t)PAGE_SIZE);
		p->fragments[p->n_fragments++] = (struct packet_fragment){page, 0, len};
		int err = io_buffer_get(from, page_address(page), len);
		if (err < 0)
			return err;
		n -= len;
	}
	return 0;
}

int packet_from_io(struct io_buffer *from, uint32_t n, struct packet **out)
{
	assert(n <= PACKET_PAYLOAD_MAX);
	uint32_t linear = n <= PACKET_LINEAR_MAX ? n : 0;
	struct packet *p = packet_alloc(linear);
	if (!p)
		return -ENOMEM;
	int err = linear > 0 ? io_buffer_get(from, packet_data(p), linear) : fill_pages(p, from, n);
	if (err < 0) {
		packet_free(p);
		return err;
	}
	p->len = linear;
	*out = p;
	return 0;
}
