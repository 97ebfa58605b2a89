/* The library of dlopen.c and library.c. */
#include <stdio.h>

_Thread_local int plugin_tls = 9;
int plugin_value = 30;

__attribute__((constructor)) static void loaded(void)
{
	puts("plugin: loaded");
}

__attribute__((destructor)) static void unloaded(void)
{
	puts("plugin: unloaded");
}

int plugin_add(int a)
{
	return a + plugin_value + plugin_tls++;
}
