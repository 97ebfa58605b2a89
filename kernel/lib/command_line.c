/* The kernel command line's words; see the header for the grammar. */
#include "kernel/lib/command_line.h"

#include "kernel/lib/string.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The character an escape at s (behind its backslash) stands for; *used is how long it is.  What is no
 * escape stands for itself. */
static char escape(const char *s, size_t *used)
{
	*used = 1;
	switch (*s) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'x':
		if (hex_digit(s[1]) >= 0 && hex_digit(s[2]) >= 0) {
			*used = 3;
			return (char)(hex_digit(s[1]) << 4 | hex_digit(s[2]));
		}
		return 'x';
	default:
		return *s;
	}
}

long command_line_word(const char **text, char *word, size_t size)
{
	const char *s = *text;
	while (is_blank(*s))
		s++;
	if (*s == '\0') {
		*text = s;
		return -1;
	}
	size_t len = 0;
	bool quoted = false;
	while (*s != '\0' && (quoted || !is_blank(*s))) {
		char c = *s++;
		if (c == '"') {
			quoted = !quoted;
			continue;
		}
		if (c == '\\' && quoted && *s != '\0') {
			size_t used = 0;
			c = escape(s, &used);
			s += used;
			if (c == '\0')
				continue;
		}
		if (len + 1 < size)
			word[len] = c;
		len++;
	}
	if (size > 0)
		word[min(len, size - 1)] = '\0';
	*text = s;
	return (long)len;
}

/* Does the raw word at s, up to end, start with key followed by '=' or its end?  Keys are never quoted. */
static bool has_key(const char *s, const char *end, const char *key)
{
	size_t n = strlen(key);
	if ((size_t)(end - s) < n || memcmp(s, key, n) != 0)
		return false;
	return s + n == end || s[n] == '=';
}

bool command_line_value(const char *text, const char *key, char *value, size_t size)
{
	const char *found = NULL;
	const char *s = text;
	for (;;) {
		while (is_blank(*s))
			s++;
		const char *start = s;
		char unused[1];
		if (command_line_word(&s, unused, sizeof(unused)) < 0)
			break;
		if (s - start == 2 && start[0] == '-' && start[1] == '-')
			break;
		if (has_key(start, s, key))
			found = start + strlen(key);
	}
	if (!found)
		return false;
	if (*found == '=')
		found++;
	if (*found == '\0' || is_blank(*found)) {
		if (size > 0)
			value[0] = '\0';
		return true;
	}
	(void)command_line_word(&found, value, size);
	return true;
}

bool command_line_number(const char *text, const char *key, uint64_t *out)
{
	char value[32];
	const char *s = value;
	uint64_t n = 0;
	if (!command_line_value(text, key, value, sizeof(value)) || !string_parse_u64(&s, &n) || *s)
		return false;
	*out = n;
	return true;
}
