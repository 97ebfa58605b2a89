/* Packets of gdb's remote serial protocol: framing, acknowledgements, escapes, hexadecimal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/text.h"

#define PACKET_MAX 0x8000u /* bytes between '$' and '#', as told to gdb */

struct packet_stream {
	int fd;
	bool no_acks;
	uint8_t in[2 * PACKET_MAX + 16];
	size_t in_len;
};

enum packet_kind { PACKET_NONE, PACKET_COMMAND, PACKET_INTERRUPT, PACKET_CLOSED };

/* Read what there is to read; then packet_next() until PACKET_NONE. */
enum packet_kind packet_fill(struct packet_stream *);
/* One packet's content, unescaped and terminated, into out (PACKET_MAX + 1 bytes). */
enum packet_kind packet_next(struct packet_stream *, char *out, size_t *len);
/* content may hold any bytes. */
void packet_send(struct packet_stream *, const char *content, size_t len);

void hex_add(struct text *, const void *bytes, size_t len);
/* Bytes of an even number of digits; -1: they are none. */
long hex_bytes(const char *digits, size_t n_digits, uint8_t *to, size_t size);
