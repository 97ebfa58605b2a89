/* Arguments and environment arrive byte for byte: blanks, quotes, newlines, empties, UTF-8. */
/* test: args='plain "two words" "" "quote\"s" "new\nline" $dollar back\\slash Ünï -- -x --option=1' env='A=1,EMPTY=,WITH SPACE=x y,Q="quoted"' */
#include "lib/check.h"

int main(int argc, char **argv, char **envp)
{
	printf("%d arguments\n", argc - 1);
	for (int i = 1; i < argc; i++)
		printf("[%s]\n", argv[i]);
	is(argv[argc] == NULL);
	const char *names[] = {"A", "EMPTY", "WITH SPACE", "Q", "PATH", "HOME", "NOT_THERE"};
	for (size_t i = 0; i < COUNT(names); i++) {
		char *value = getenv(names[i]);
		printf("%s=%s\n", names[i], value ? (i < 4 ? value : "something") : "(none)");
	}
	return 0;
}
