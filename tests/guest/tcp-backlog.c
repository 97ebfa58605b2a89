/* More clients than the backlog holds: none is refused, all are served once the server accepts. */
/* test: cpus=2 */
#include "lib/net.h"

enum { CLIENTS = 16 };
static struct sockaddr_in a;
static atomic_int right;

static void *client(void *id)
{
	char c = 'a' + (long)id, back = 0;
	int s = must(socket(AF_INET, SOCK_STREAM, 0));
	must(connect(s, ADDRESS(a)));
	must(write(s, &c, 1));
	must(read(s, &back, 1));
	right += back == c;
	return NULL;
}

int main(void)
{
	pthread_t thread[CLIENTS];
	int l = listener(&a, 5);
	for (long i = 0; i < CLIENTS; i++)
		thread[i] = start(client, (void *)i);
	sleep_ms(300);
	for (int i = 0; i < CLIENTS; i++) {
		char c;
		int s = must(accept(l, NULL, NULL));
		must(read(s, &c, 1));
		must(write(s, &c, 1));
		close(s);
	}
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(thread[i], NULL);
	printf("%d right\n", right);
	return 0;
}
