/* C's own files: buffered reading, writing, seeking, ungetc, tmpfile, perror. */
#include "lib/check.h"

int main(void)
{
	FILE *f = fopen("f", "w+");
	for (int i = 0; i < 10000; i++)
		fprintf(f, "line %d\n", i);
	rewind(f);
	char line[64];
	int n = 0;
	while (fgets(line, sizeof(line), f))
		n += atoi(line + 5) == n;
	printf("%d lines, at %ld\n", n, ftell(f));
	fseek(f, -10, SEEK_END);
	fgets(line, sizeof(line), f);
	printf("[%s]", line);
	ungetc('u', f);
	printf("%c\n", fgetc(f));
	fclose(f);
	f = fopen("f", "a");
	fputs("appended", f);
	fclose(f);
	f = fopen("f", "r");
	fseek(f, -8, SEEK_END);
	printf("%s\n", fgets(line, sizeof(line), f));
	fclose(f);
	f = tmpfile();
	is(f != NULL && fputs("temporary", f) >= 0);
	is(fopen("absent/x", "w") == NULL && errno == ENOENT);
	is(fopen("f", "wx") == NULL && errno == EEXIST);
	char name[] = "tmp-XXXXXX";
	is(mkstemp(name) >= 0 && unlink(name) == 0);
	char dir[] = "dir-XXXXXX";
	is(mkdtemp(dir) != NULL && rmdir(dir) == 0);
	f = fopen("/dev/full", "w");
	fputs("no room", f);
	is(fclose(f) == EOF && errno == ENOSPC);
	return 0;
}
