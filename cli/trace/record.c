/* Records of the host channel: checked, and looked into by address. */
#include "cli/trace/record.h"

#include <string.h>

static const struct trace_call *current;
static bool before;

static size_t padded(size_t len)
{
	return (len + 7) & ~(size_t)7;
}

bool trace_record_open(const void *content, size_t len, struct trace_call *out)
{
	if (len < sizeof(struct trace_record))
		return false;
	out->record = content;
	out->pieces = (const uint8_t *)content + sizeof(struct trace_record);
	len -= sizeof(struct trace_record);
	size_t at = 0;

	for (unsigned i = 0; i < out->record->n_pieces; i++) {
		struct trace_piece p;

		if (len - at < sizeof(p))
			return false;
		memcpy(&p, out->pieces + at, sizeof(p));
		at += sizeof(p);
		if (len - at < padded(p.len))
			return false;
		at += padded(p.len);
	}
	return true;
}

void trace_record_use(const struct trace_call *call, bool only_before)
{
	current = call;
	before = only_before;
}

/* The piece that has [address, address + n); a later one is newer. */
static const uint8_t *find(uint64_t address, size_t n, size_t *left, bool *cut)
{
	const uint8_t *at = current->pieces, *found = NULL;

	for (unsigned i = 0; i < current->record->n_pieces; i++) {
		const struct trace_piece *p = (const struct trace_piece *)at;
		uint64_t skip = address - p->address;
		bool of_memory = p->when == TRACE_BEFORE || (p->when == TRACE_AFTER && !before);

		if (of_memory && address >= p->address && skip <= p->len && p->len - skip >= n) {
			found = at + sizeof(*p) + skip;
			*left = p->len - (size_t)skip;
			*cut = p->cut;
		}
		at += sizeof(*p) + padded(p->len);
	}
	return found;
}

int trace_copy(void *to, uint64_t address, size_t n)
{
	size_t left;
	bool cut;
	const uint8_t *bytes = n ? find(address, n, &left, &cut) : NULL;

	if (!bytes)
		return n ? -1 : 0;
	memcpy(to, bytes, n);
	return 0;
}

long trace_string(char *to, uint64_t address, size_t size)
{
	size_t left = 0;
	bool cut = false;
	const uint8_t *bytes = find(address, 1, &left, &cut);
	size_t n = bytes ? strnlen((const char *)bytes, left) : 0;

	if (!bytes || n == left || n >= size)
		return -1;
	memcpy(to, bytes, n + 1);
	return (long)n;
}

const char *trace_descriptor_path(int fd, size_t *len)
{
	const uint8_t *at = current->pieces;

	for (unsigned i = 0; i < current->record->n_pieces; i++) {
		const struct trace_piece *p = (const struct trace_piece *)at;

		if (p->when == TRACE_PATH && p->address == (uint64_t)fd) {
			*len = p->len;
			return (const char *)at + sizeof(*p);
		}
		at += sizeof(*p) + padded(p->len);
	}
	return NULL;
}
