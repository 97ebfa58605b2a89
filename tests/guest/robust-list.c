/* A thread that ends holding a robust mutex: the next owner learns it, and may repair. */
#include "lib/check.h"

static pthread_mutex_t lock;

static void *dies_holding(void *unused)
{
	must(-pthread_mutex_lock(&lock));
	return NULL;
}

static void *waits_for_it(void *unused)
{
	int err = pthread_mutex_lock(&lock);
	printf("waiter: %s\n", strerrorname_np(err));
	if (err == EOWNERDEAD)
		printf("repaired: %d\n", pthread_mutex_consistent(&lock));
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *holds_a_while(void *unused)
{
	pthread_mutex_lock(&lock);
	sleep_ms(100);
	syscall(SYS_exit, 0); /* past all of libc's endings */
	return NULL;
}

int main(void)
{
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&lock, &attr);
	pthread_join(start(dies_holding, NULL), NULL);
	waits_for_it(NULL);
	pthread_t holder = start(holds_a_while, NULL);
	sleep_ms(30);
	pthread_join(start(waits_for_it, NULL), NULL);
	pthread_join(holder, NULL);
	printf("%d\n", pthread_mutex_trylock(&lock));
	void *head;
	size_t length;
	show(syscall(SYS_get_robust_list, 0, &head, &length));
	printf("%zu\n", length);
	show(syscall(SYS_set_robust_list, head, 7));
	return 0;
}
