/* The command line's grammar (abi/boot.h): words, quotes, escapes, keys before "--". */
#include <assert.h>
#include <string.h>

#include "kernel/lib/command_line.h"

static void check_words(const char *text, const char *const *expected)
{
	char word[64];
	for (; *expected; expected++) {
		long len = command_line_word(&text, word, sizeof(word));
		assert(len == (long)strlen(*expected));
		assert(strcmp(word, *expected) == 0);
	}
	assert(command_line_word(&text, word, sizeof(word)) == -1);
}

int main(void)
{
	check_words("", (const char *[]){NULL});
	check_words("  a  b=c\t-- d\n", (const char *[]){"a", "b=c", "--", "d", NULL});
	check_words("K=\"a b\" \"\" \"x\\\"y\\\\\\n\\x41\\q\"",
		(const char *[]){"K=a b", "", "x\"y\\\nAq", NULL});
	check_words("\"open", (const char *[]){"open", NULL});
	check_words("a\\b", (const char *[]){"a\\b", NULL});

	char value[8];
	const char *line = "root=/dev/vda quiet root=\"/dev/vdb\" -- root=/no";
	assert(command_line_value(line, "root", value, sizeof(value)));
	assert(strcmp(value, "/dev/vd") == 0); /* cut */
	assert(command_line_value(line, "quiet", value, sizeof(value)) && value[0] == '\0');
	assert(!command_line_value(line, "qui", value, sizeof(value)));
	uint64_t n = 0;
	assert(command_line_number("p=0x501", "p", &n) && n == 0x501);
	assert(!command_line_number("p=12z", "p", &n) && n == 0x501);
	return 0;
}
