/*
 * printf(3)'s formatting: one pass over the format; each conversion is parsed into a struct spec and
 * printed by kind.  Numbers are made backwards in a small buffer, then padded.
 */
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"

struct output {
	char *buf;
	size_t size; /* of buf */
	size_t len;  /* of the whole text, also what did not fit */
};

struct spec {
	bool left, zero, plus, space, alternate;
	int width;
	int precision;  /* -1: none */
	unsigned bytes; /* size of the integer argument */
	char kind;
};

static void put(struct output *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_text(struct output *o, const char *s, size_t n)
{
	if (o->len + n < o->size)
		memcpy(o->buf + o->len, s, n);
	else if (o->len + 1 < o->size)
		memcpy(o->buf + o->len, s, o->size - 1 - o->len);
	o->len += n;
}

static void put_repeated(struct output *o, char c, long n)
{
	for (; n > 0; n--)
		put(o, c);
}

static void put_padded(struct output *o, const struct spec *s, const char *text, size_t n)
{
	long pad = s->width - (long)n;
	if (!s->left)
		put_repeated(o, ' ', pad);
	put_text(o, text, n);
	if (s->left)
		put_repeated(o, ' ', pad);
}

/* Digits of value, backwards from end; the first one. */
static char *digits(char *end, uint64_t value, unsigned base, bool upper)
{
	const char *alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	for (; value != 0; value /= base)
		*--end = alphabet[value % base];
	return end;
}

static void put_number(struct output *o, const struct spec *s, uint64_t value, const char *prefix)
{
	char buf[24];
	unsigned base = s->kind == 'o' ? 8 : s->kind == 'd' || s->kind == 'u' ? 10 : 16;
	char *first = digits(buf + sizeof(buf), value, base, s->kind == 'X');
	long n = buf + sizeof(buf) - first;
	long n_prefix = (long)strlen(prefix);
	/* C11 7.21.6.1: precision is the least number of digits, 1 unless given; "0" is ignored with it. */
	long n_digits = max(n, s->precision < 0 ? 1l : (long)s->precision);
	if (s->alternate && s->kind == 'o' && n_digits == n)
		n_digits++;
	if (s->zero && !s->left && s->precision < 0)
		n_digits = max(n_digits, s->width - n_prefix);
	long pad = s->width - n_prefix - n_digits;
	if (!s->left)
		put_repeated(o, ' ', pad);
	put_text(o, prefix, (size_t)n_prefix);
	put_repeated(o, '0', n_digits - n);
	put_text(o, first, (size_t)n);
	if (s->left)
		put_repeated(o, ' ', pad);
}

static const char *parse_flags(const char *f, struct spec *s)
{
	for (;; f++) {
		if (*f == '-')
			s->left = true;
		else if (*f == '0')
			s->zero = true;
		else if (*f == '+')
			s->plus = true;
		else if (*f == ' ')
			s->space = true;
		else if (*f == '#')
			s->alternate = true;
		else
			return f;
	}
}

static const char *parse_int(const char *f, int *out)
{
	int value = 0;
	for (; *f >= '0' && *f <= '9'; f++)
		value = value * 10 + *f - '0';
	*out = value;
	return f;
}

static const char *parse_length(const char *f, struct spec *s)
{
	s->bytes = sizeof(int);
	if (*f == 'h') {
		s->bytes = f[1] == 'h' ? 1 : 2;
		return f + (f[1] == 'h' ? 2 : 1);
	}
	if (*f == 'l' || *f == 'z' || *f == 'j' || *f == 't') {
		s->bytes = 8;
		return f + (f[0] == 'l' && f[1] == 'l' ? 2 : 1);
	}
	return f;
}

/* An argument list that functions can share. */
struct arguments {
	va_list list;
};

static const char *parse_spec(const char *f, struct spec *s, struct arguments *args)
{
	f = parse_flags(f, s);
	if (*f == '*') {
		s->width = va_arg(args->list, int);
		f++;
	} else {
		f = parse_int(f, &s->width);
	}
	if (s->width < 0) {
		s->left = true;
		s->width = -s->width;
	}
	s->precision = -1;
	if (f[0] == '.' && f[1] == '*') {
		s->precision = va_arg(args->list, int);
		f += 2;
	} else if (f[0] == '.') {
		f = parse_int(f + 1, &s->precision);
	}
	f = parse_length(f, s);
	s->kind = *f;
	return f;
}

static int64_t signed_argument(const struct spec *s, struct arguments *args)
{
	if (s->bytes == 8)
		return va_arg(args->list, int64_t);
	int value = va_arg(args->list, int);
	return s->bytes == 1 ? (signed char)value : s->bytes == 2 ? (short)value : value;
}

static uint64_t unsigned_argument(const struct spec *s, struct arguments *args)
{
	if (s->bytes == 8)
		return va_arg(args->list, uint64_t);
	unsigned value = va_arg(args->list, unsigned);
	return s->bytes == 1 ? (uint8_t)value : s->bytes == 2 ? (uint16_t)value : value;
}

static void put_string(struct output *o, const struct spec *s, const char *text)
{
	if (text == NULL)
		text = "(null)";
	size_t n = s->precision < 0 ? strlen(text) : strnlen(text, (size_t)s->precision);
	put_padded(o, s, text, n);
}

static void put_conversion(struct output *o, struct spec *s, struct arguments *args)
{
	switch (s->kind) {
	case 'd':
	case 'i': {
		int64_t value = signed_argument(s, args);
		s->kind = 'd';
		put_number(o, s, value < 0 ? -(uint64_t)value : (uint64_t)value,
			value < 0  ? "-"
			: s->plus  ? "+"
			: s->space ? " "
				   : "");
		break;
	}
	case 'u':
	case 'o':
	case 'x':
	case 'X': {
		uint64_t value = unsigned_argument(s, args);
		bool hex = s->alternate && value != 0;
		put_number(o, s, value,
			hex && s->kind == 'x'   ? "0x"
			: hex && s->kind == 'X' ? "0X"
						: "");
		break;
	}
	case 'p':
		put_number(o, s, (uintptr_t)va_arg(args->list, void *), "0x");
		break;
	case 'c': {
		char c = (char)va_arg(args->list, int);
		put_padded(o, s, &c, 1);
		break;
	}
	case 's':
		put_string(o, s, va_arg(args->list, const char *));
		break;
	default:
		put(o, s->kind);
	}
}

int format_v(char *buf, size_t size, const char *fmt, va_list list)
{
	struct output o = {buf, size, 0};
	struct arguments args;
	va_copy(args.list, list);
	for (const char *f = fmt; *f != 0; f++) {
		if (*f != '%') {
			put(&o, *f);
			continue;
		}
		struct spec s = {0};
		f = parse_spec(f + 1, &s, &args);
		if (s.kind == 0)
			break;
		put_conversion(&o, &s, &args);
	}
	va_end(args.list);
	if (size > 0)
		buf[min(o.len, size - 1)] = 0;
	return (int)o.len;
}

int format(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	int len = format_v(buf, size, fmt, args);
	va_end(args);
	return len;
}

void text_init(struct text *t, char *buf, size_t size)
{
	*t = (struct text){.buf = buf, .size = size};
	if (size > 0)
		buf[0] = 0;
}

void text_add(struct text *t, const char *fmt, ...)
{
	if (t->size == 0) {
		t->cut = true;
		return;
	}
	va_list args;
	va_start(args, fmt);
	size_t len = (size_t)format_v(t->buf + t->len, t->size - t->len, fmt, args);
	va_end(args);
	if (len >= t->size - t->len) {
		t->cut = true;
		len = t->size - t->len - 1;
	}
	t->len += len;
}
