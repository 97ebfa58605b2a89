/* The bytes of a packet, wherever they lie: in its buffer and in page fragments behind it. */
#pragma once

#include "kernel/dev/netif.h"
#include "kernel/file/file.h"

/* n bytes from offset (of the data) on; they must be there. */
void packet_read(const struct packet *p, uint32_t offset, void *to, uint32_t n);
int packet_to_io(
	const struct packet *p, uint32_t offset, struct io_buffer *to, uint32_t n) must_check;
/* Cut n bytes off the front, or all but the first n off the back.  Fragments stay counted. */
void packet_trim_front(struct packet *p, uint32_t n);
void packet_trim_back(struct packet *p, uint32_t keep);
/* A fresh packet, n bytes of p from offset on in its buffer; NULL without memory. */
struct packet *packet_copy(const struct packet *p, uint32_t offset, uint32_t n) must_check;

/* Fill a packet for sending with n bytes from `from`: into its buffer, or for large n into pages.  -EFAULT, -ENOMEM.
 * May sleep. */
#define PACKET_LINEAR_MAX 2048u
#define PACKET_PAYLOAD_MAX 65536u
int packet_from_io(struct io_buffer *from, uint32_t n, struct packet **out) must_check;

/* Memory it holds, for buffer limits: trimming does not change it. */
static inline uint32_t packet_charge(const struct packet *p)
{
	return p->size +
	       (uint32_t)(offsetof(struct packet, fragments) + p->n_fragments * PAGE_SIZE);
}
