/* Standard input is read to its end, through pieces of every size. */
/* test: stdin='first line\nsecond line\n\nthe last without an end' */
#include "lib/check.h"

int main(void)
{
	char line[100], c;
	int n = 0;
	must(read(0, &c, 1));
	printf("[%c]\n", c);
	while (fgets(line, sizeof(line), stdin))
		printf("%d: [%.*s]\n", n++, (int)strcspn(line, "\n"), line);
	printf("eof %d error %d\n", feof(stdin), ferror(stdin));
	show(read(0, &c, 1));
	return 0;
}
