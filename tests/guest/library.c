/* A shared library of our own, found by DT_RUNPATH. */
/* test: lib=plugin.c cflags='-L@ -Wl,-rpath,@' libs=-lplugin */
#include <stdio.h>

int plugin_add(int a);
extern int plugin_value;

int main(void)
{
	printf("%d\n", plugin_add(3));
	plugin_value = 1;
	printf("%d\n", plugin_add(3));
	return 0;
}
