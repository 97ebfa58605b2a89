/*
 * Bytes between a file and whoever asked: the program's memory in pieces, or one kernel buffer.
 */
#include "abi/linux/errno.h"
#include "kernel/file/file.h"
#include "kernel/lib/string.h"

enum direction { TO_PROGRAM, FROM_PROGRAM, CLEAR };

void io_buffer_kernel(struct io_buffer *b, void *memory, size_t n)
{
	*b = (struct io_buffer){.kernel = memory, .left = n};
}

void io_buffer_user(struct io_buffer *b, const struct io_piece *pieces, unsigned n_pieces)
{
	*b = (struct io_buffer){.pieces = pieces, .n_pieces = n_pieces};
	for (unsigned i = 0; i < n_pieces; i++)
		b->left += pieces[i].len;
}

static int move_user(user_addr at, void *kernel, size_t n, enum direction direction)
{
	switch (direction) {
	case TO_PROGRAM:
		return copy_out(at, kernel, n);
	case FROM_PROGRAM:
		return copy_in(kernel, at, n);
	case CLEAR:
		break;
	}
	return user_clear(at, n);
}

static void move_kernel(struct io_buffer *b, void *other, size_t n, enum direction direction)
{
	if (direction == TO_PROGRAM)
		memcpy(b->kernel, other, n);
	else if (direction == FROM_PROGRAM)
		memcpy(other, b->kernel, n);
	else
		memset(b->kernel, 0, n);
	b->kernel += n;
	b->left -= n;
}

/* Over several pieces.  On a copy: a fault leaves the buffer where it was. */
static int move_pieces(struct io_buffer *b, uint8_t *other, size_t n, enum direction direction)
{
	struct io_buffer now = *b;
	now.left -= n;
	while (n) {
		size_t room = now.pieces->len - now.piece_offset;
		size_t part = min(n, room);
		user_addr at = user_offset(now.pieces->base, now.piece_offset);
		int err = part ? move_user(at, other, part, direction) : 0;
		if (err < 0)
			return err;
		n -= part;
		now.piece_offset += part;
		if (other)
			other += part;
		if (part == room) {
			now.pieces++;
			now.n_pieces--;
			now.piece_offset = 0;
		}
	}
	*b = now;
	return 0;
}

static inline int move(struct io_buffer *b, uint8_t *other, size_t n, enum direction direction)
{
	assert(n <= b->left);
	if (!b->pieces) {
		move_kernel(b, other, n, direction);
		return 0;
	}
	if (!n || n > b->pieces->len - b->piece_offset)
		return move_pieces(b, other, n, direction);
	/* Inside one piece, the usual case.  A piece that is used up stays until the next call. */
	int err = move_user(user_offset(b->pieces->base, b->piece_offset), other, n, direction);
	if (err < 0)
		return err;
	b->piece_offset += n;
	b->left -= n;
	return 0;
}

int io_buffer_put(struct io_buffer *b, const void *from, size_t n)
{
	return move(b, (uint8_t *)(uintptr_t)from, n, TO_PROGRAM);
}

int io_buffer_get(struct io_buffer *b, void *to, size_t n)
{
	return move(b, to, n, FROM_PROGRAM);
}

int io_buffer_clear(struct io_buffer *b, size_t n)
{
	return move(b, NULL, n, CLEAR);
}

/* Up to the end of a page of the program's memory, which is there or is not. */
static size_t same_page(struct io_buffer *b, size_t n)
{
	while (b->piece_offset == b->pieces->len) {
		b->pieces++;
		b->n_pieces--;
		b->piece_offset = 0;
	}
	uintptr_t at = b->pieces->base.va + b->piece_offset;
	size_t room = b->pieces->len - b->piece_offset, in_page = PAGE_SIZE - at % PAGE_SIZE;
	return min(n, min(room, in_page));
}

static long move_some(struct io_buffer *b, uint8_t *other, size_t n, enum direction direction)
{
	size_t done = 0;
	int err = move(b, other, n, direction);
	if (likely(!err))
		return (long)n;
	while (done < n) {
		size_t part = same_page(b, n - done);
		if (move(b, other ? other + done : NULL, part, direction) < 0)
			break;
		done += part;
	}
	return done ? (long)done : err;
}

long io_buffer_put_some(struct io_buffer *b, const void *from, size_t n)
{
	return move_some(b, (uint8_t *)(uintptr_t)from, n, TO_PROGRAM);
}

long io_buffer_get_some(struct io_buffer *b, void *to, size_t n)
{
	return move_some(b, to, n, FROM_PROGRAM);
}

long io_buffer_clear_some(struct io_buffer *b, size_t n)
{
	return move_some(b, NULL, n, CLEAR);
}
