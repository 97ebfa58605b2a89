/*
 * Drawn line by line of depth, outermost at the bottom: neighbours in sorted order that agree up to
 * a depth share one box there.
 */
#include "cli/profile/flame.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 1200.0
#define MARGIN 10.0
#define TOP 40
#define ROW 17
#define LETTER 6.6 /* width of one, at this size */
#define NARROWEST 0.2

static size_t depth_of(const char *stack)
{
	size_t n = 1;

	for (; *stack; stack++)
		n += *stack == ';';
	return n;
}

/* Bytes of the stack's first `depth` frames; 0: it has fewer. */
static size_t prefix_len(const char *stack, size_t depth)
{
	size_t at = 0;

	for (size_t i = 0; i < depth; i++) {
		if (i > 0 && !stack[at++])
			return 0;
		at += strcspn(stack + at, ";");
	}
	return at;
}

static void put_text(FILE *f, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '<')
			fputs("&lt;", f);
		else if (c == '>')
			fputs("&gt;", f);
		else if (c == '&')
			fputs("&amp;", f);
		else
			fputc(c < ' ' || c > '~' ? '?' : c, f);
	}
}

/* The same name always has the same colour; the kernel's are blue. */
static void put_colour(FILE *f, const char *name, size_t len)
{
	uint32_t hash = 2166136261u;
	bool kernel = len > 4 && memcmp(name + len - 4, "_[k]", 4) == 0;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)name[i]) * 16777619u;
	fprintf(f, "hsl(%u,%u%%,%u%%)", (kernel ? 200 : 10) + hash % 40, 65 + hash / 64 % 20,
		58 + hash / 4096 % 14);
}

struct box {
	const char *name;
	size_t len;
	uint64_t before, count, all;
	size_t row; /* from the top */
};

static void put_box(FILE *f, const struct box *b)
{
	double scale = (WIDTH - 2 * MARGIN) / (double)b->all;
	double x = MARGIN + (double)b->before * scale, width = (double)b->count * scale;
	size_t y = TOP + b->row * ROW, letters = (size_t)(width / LETTER);

	if (width < NARROWEST)
		return;
	fputs("<g><title>", f);
	put_text(f, b->name, b->len);
	fprintf(f, " (%" PRIu64 " samples, %.2f%%)</title>", b->count,
		100.0 * (double)b->count / (double)b->all);
	fprintf(f, "<rect x=\"%.1f\" y=\"%zu\" width=\"%.1f\" height=\"%d\" rx=\"1\" fill=\"", x, y,
		width, ROW - 1);
	put_colour(f, b->name, b->len);
	fputs("\"/>", f);
	if (letters >= 3) {
		bool cut = b->len + 1 > letters;

		fprintf(f, "<text x=\"%.1f\" y=\"%zu\">", x + 3, y + 12);
		put_text(f, b->name, cut ? letters - 2 : b->len);
		fprintf(f, "%s</text>", cut ? ".." : "");
	}
	fputs("</g>\n", f);
}

static void put_row(
	FILE *f, const struct folded *s, size_t n, size_t depth, size_t row, uint64_t all)
{
	uint64_t before = 0;

	for (size_t i = 0; i < n;) {
		size_t len = prefix_len(s[i].stack, depth),
		       start = prefix_len(s[i].stack, depth - 1);
		uint64_t count = s[i].count;
		size_t next = i + 1;

		while (len && next < n && prefix_len(s[next].stack, depth) == len &&
			memcmp(s[next].stack, s[i].stack, len) == 0)
			count += s[next++].count;
		start += depth > 1;
		if (len)
			put_box(f, &(struct box){s[i].stack + start, len - start, before, count,
					   all, row});
		before += count;
		i = next;
	}
}

void flame_write(FILE *f, const char *title, const struct folded *s, size_t n)
{
	size_t deepest = 0;
	uint64_t all = 0;

	for (size_t i = 0; i < n; i++) {
		size_t depth = depth_of(s[i].stack);

		deepest = depth > deepest ? depth : deepest;
		all += s[i].count;
	}
	size_t height = TOP + (deepest + 1) * ROW;

	fprintf(f,
		"<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" "
		"height=\"%zu\" viewBox=\"0 0 %.0f %zu\">\n<style>text{font:11px monospace} "
		"rect:hover{stroke:#000}</style>\n<rect width=\"100%%\" height=\"100%%\" "
		"fill=\"#fafafa\"/>\n<text x=\"%.0f\" y=\"22\">",
		WIDTH, height, WIDTH, height, MARGIN);
	put_text(f, title, strlen(title));
	fprintf(f, ": %" PRIu64 " samples</text>\n", all);
	for (size_t depth = 1; depth <= deepest; depth++)
		put_row(f, s, n, depth, deepest - depth, all);
	fputs("</svg>\n", f);
}
