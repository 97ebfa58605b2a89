/* dlopen at run time: symbols, thread-local storage, closing, what is not there. */
/* test: lib=plugin.c cflags=-DLIBRARY=@/libplugin.so */
#include "lib/check.h"
#include <dlfcn.h>

#define STRING(text) #text
#define PATH(path) STRING(path)

static int (*add)(int);

static void *thread(void *unused)
{
	printf("in a thread: %d\n", add(1));
	return NULL;
}

int main(void)
{
	void *library = dlopen(PATH(LIBRARY), RTLD_NOW);
	if (!library) {
		puts(dlerror());
		return 1;
	}
	add = (int (*)(int))dlsym(library, "plugin_add");
	printf("%d\n", add(1));
	printf("%d\n", add(1));
	pthread_join(start(thread, NULL), NULL);
	is(dlsym(library, "absent") == NULL);
	is(dlsym(RTLD_DEFAULT, "puts") != NULL);
	show(dlclose(library));
	is(dlopen("libabsent.so", RTLD_NOW) == NULL);
	return 0;
}
