/* The line discipline: see terminal.h. */
#include "kernel/fs/dev/terminal.h"

#include "abi/linux/signal.h"
#include "kernel/lib/string.h"

#define CONTROL_BYTES                                                                              \
	{                                                                                          \
		3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0                       \
	}

void terminal_init(struct terminal *t)
{
	*t = (struct terminal){
		.settings = {
			.c_iflag = ICRNL | IXON,
			.c_oflag = OPOST | ONLCR,
			.c_cflag = B38400 | CS8 | CREAD,
			.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
			.c_cc = CONTROL_BYTES,
		}};
}

static bool has(const struct terminal *t, uint32_t local_flag)
{
	return t->settings.c_lflag & local_flag;
}

static void ring_put(struct terminal_ring *r, uint8_t c)
{
	if (!ring_room(r))
		return;
	r->bytes[r->head % TERMINAL_ROOM] = c;
	r->head++;
}

size_t ring_take(struct terminal_ring *r, uint8_t *to, size_t n)
{
	n = min(n, (size_t)ring_used(r));
	for (size_t i = 0; i < n; i++)
		to[i] = r->bytes[(r->tail + i) % TERMINAL_ROOM];
	r->tail += (uint32_t)n;
	return n;
}

/* --- out ------------------------------------------------------------------------------------- */

/* What one byte becomes on the screen; how many. */
static size_t shown_as(const struct terminal *t, uint8_t c, uint8_t to[2])
{
	uint32_t flags = t->settings.c_oflag;
	to[0] = c;
	if (!(flags & OPOST))
		return 1;
	if (c == '\n' && (flags & ONLCR)) {
		to[0] = '\r';
		to[1] = '\n';
		return 2;
	}
	if (c == '\r' && (flags & OCRNL))
		to[0] = '\n';
	return 1;
}

size_t terminal_show(struct terminal *t, const uint8_t *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t shown[2];
		size_t len = shown_as(t, text[i], shown);
		if (ring_room(&t->out) < len)
			return i;
		for (size_t k = 0; k < len; k++)
			ring_put(&t->out, shown[k]);
	}
	return n;
}

static void echo_text(struct terminal *t, const char *text)
{
	(void)!terminal_show(t, (const uint8_t *)text, strlen(text));
}

static bool is_control(uint8_t c)
{
	return (c < 32 && c != '\t' && c != '\n') || c == 127;
}

static void echo(struct terminal *t, uint8_t c)
{
	if (!has(t, ECHO) && !(c == '\n' && has(t, ECHONL) && has(t, ICANON)))
		return;
	if (is_control(c) && has(t, ECHOCTL)) {
		const char text[3] = {'^', (char)(c ^ 64), 0};
		echo_text(t, text);
	} else {
		(void)!terminal_show(t, &c, 1);
	}
}

/* --- in -------------------------------------------------------------------------------------- */

static bool is_key(const struct terminal *t, uint8_t c, unsigned key)
{
	return c && c == t->settings.c_cc[key];
}

static void set_end(struct terminal *t, uint32_t at, bool end)
{
	uint64_t bit = 1ull << at % 64, *word = &t->ends[at % TERMINAL_ROOM / 64];
	*word = end ? *word | bit : *word & ~bit;
}

static bool is_end(const struct terminal *t, uint32_t at)
{
	return t->ends[at % TERMINAL_ROOM / 64] >> at % 64 & 1;
}

static void accept(struct terminal *t, uint8_t c, bool end)
{
	set_end(t, t->in.head, end);
	ring_put(&t->in, c);
	if (end)
		t->finished = t->in.head;
}

/* The last byte of the unfinished line goes. */
static uint8_t rub_out(struct terminal *t)
{
	t->in.head--;
	uint8_t c = t->in.bytes[t->in.head % TERMINAL_ROOM];
	if (has(t, ECHO) && has(t, ECHOE)) {
		echo_text(t, "\b \b");
		if (is_control(c) && has(t, ECHOCTL))
			echo_text(t, "\b \b");
	}
	return c;
}

static bool is_word(uint8_t c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c >= 128;
}

static void rub_out_word(struct terminal *t)
{
	bool in_word = false;
	while (t->in.head != t->finished) {
		uint8_t last = t->in.bytes[(t->in.head - 1) % TERMINAL_ROOM];
		if (in_word && !is_word(last))
			break;
		in_word |= is_word(rub_out(t));
	}
}

/* Keys that edit the line. */
static bool edit(struct terminal *t, uint8_t c)
{
	bool any = t->in.head != t->finished;
	if (is_key(t, c, VERASE)) {
		if (any)
			rub_out(t);
	} else if (is_key(t, c, VKILL)) {
		while (t->in.head != t->finished)
			rub_out(t);
		if (has(t, ECHO) && has(t, ECHOK) && !has(t, ECHOKE))
			echo(t, '\n');
	} else if (is_key(t, c, VWERASE) && has(t, IEXTEN)) {
		rub_out_word(t);
	} else {
		return false;
	}
	return true;
}

static void type_in_line(struct terminal *t, uint8_t c)
{
	if (edit(t, c))
		return;
	if (is_key(t, c, VEOF)) {
		accept(t, 0, true);
		return;
	}
	bool end = c == '\n' || is_key(t, c, VEOL) || (is_key(t, c, VEOL2) && has(t, IEXTEN));
	/* The last place is for the end of the line. */
	if (!end && ring_room(&t->in) <= 1)
		return;
	echo(t, c);
	accept(t, c, end);
}

static int signal_of(const struct terminal *t, uint8_t c)
{
	if (!has(t, ISIG))
		return 0;
	return is_key(t, c, VINTR)   ? SIGINT
	       : is_key(t, c, VQUIT) ? SIGQUIT
	       : is_key(t, c, VSUSP) ? SIGTSTP
				     : 0;
}

int terminal_type(struct terminal *t, uint8_t c, bool *fits)
{
	uint32_t flags = t->settings.c_iflag;
	*fits = ring_room(&t->in) > 0 && ring_room(&t->out) >= 4;
	if (!*fits)
		return 0;
	if (flags & ISTRIP)
		c &= 0x7f;
	if (c == '\r' && (flags & IGNCR))
		return 0;
	if (c == '\r' && (flags & ICRNL))
		c = '\n';
	else if (c == '\n' && (flags & INLCR))
		c = '\r';
	int signal = signal_of(t, c);
	if (signal) {
		if (!has(t, NOFLSH))
			terminal_flush_input(t);
		echo(t, c);
	} else if (has(t, ICANON)) {
		type_in_line(t, c);
	} else {
		echo(t, c);
		accept(t, c, false);
	}
	return signal;
}

uint32_t terminal_readable(const struct terminal *t)
{
	return (has(t, ICANON) ? t->finished : t->in.head) - t->in.tail;
}

size_t terminal_take(struct terminal *t, uint8_t *to, size_t n)
{
	uint32_t most = terminal_readable(t);
	if (!has(t, ICANON)) {
		n = ring_take(&t->in, to, min(n, (size_t)most));
		t->finished = t->in.tail;
		return n;
	}
	size_t done = 0;
	bool end = false;
	while (most-- && !end && done < n) {
		uint8_t c = t->in.bytes[t->in.tail % TERMINAL_ROOM];
		end = is_end(t, t->in.tail++);
		if (c || !end)
			to[done++] = c;
	}
	/* What was read up to its last byte: a ^D behind it only says so. */
	if (!end && most + 1 && is_end(t, t->in.tail) && !t->in.bytes[t->in.tail % TERMINAL_ROOM])
		t->in.tail++;
	return done;
}

void terminal_set(struct terminal *t, const struct linux_termios *new)
{
	bool was_lines = has(t, ICANON);
	t->settings = *new;
	/* What was typed so far counts as it is, one way or the other. */
	if (was_lines != has(t, ICANON) && t->in.head != t->in.tail) {
		set_end(t, t->in.head - 1, true);
		t->finished = t->in.head;
	}
}

void terminal_flush_input(struct terminal *t)
{
	t->in.tail = t->finished = t->in.head;
}
