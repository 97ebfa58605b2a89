/* Binding and listening: address in use, SO_REUSEADDR, SO_REUSEPORT, backlog, closing under accept. */
/* test: cpus=2 */
#include "lib/net.h"

/* Told after it was joined: two threads print in either order. */
static void *stuck(void *fd)
{
	int result = accept((int)(long)fd, NULL, NULL);
	return (void *)(long)(result < 0 ? -errno : result);
}

int main(void)
{
	struct sockaddr_in a, b;
	int on = 1, value = 0;
	socklen_t length = sizeof(value);
	int l = listener(&a, 2);
	int s = must(socket(AF_INET, SOCK_STREAM, 0));
	show(bind(s, ADDRESS(a)));
	show(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	show(bind(s, ADDRESS(a)));
	show(getsockopt(l, SOL_SOCKET, SO_ACCEPTCONN, &value, &length));
	printf("%d\n", value);
	show(listen(l, 10));
	show(bind(l, ADDRESS(a)));
	int c = must(socket(AF_INET, SOCK_STREAM, 0));
	must(connect(c, ADDRESS(a)));
	must(write(c, "early", 5));
	close(c);
	int accepted = must(accept(l, NULL, NULL));
	char buf[8] = "";
	show(read(accepted, buf, 8));
	puts(buf);
	show(read(accepted, buf, 8));
	pthread_t thread = start(stuck, (void *)(long)l);
	sleep_ms(50);
	show(shutdown(l, SHUT_RDWR));
	void *accepting;
	pthread_join(thread, &accepting);
	printf("accept: %ld\n", (long)accepting);
	close(l);
	c = must(socket(AF_INET, SOCK_STREAM, 0));
	show(connect(c, ADDRESS(a)));
	int r1 = must(socket(AF_INET, SOCK_STREAM, 0)), r2 = must(socket(AF_INET, SOCK_STREAM, 0));
	must(setsockopt(r1, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)));
	must(setsockopt(r2, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)));
	b = local(0);
	must(bind(r1, ADDRESS(b)));
	length = sizeof(b);
	must(getsockname(r1, (struct sockaddr *)&b, &length));
	show(bind(r2, ADDRESS(b)));
	show(listen(r1, 1) + listen(r2, 1));
	int any = must(socket(AF_INET, SOCK_STREAM, 0));
	show(listen(any, 1)); /* without bind: a port of its own */
	length = sizeof(b);
	must(getsockname(any, (struct sockaddr *)&b, &length));
	is(b.sin_port != 0 && b.sin_addr.s_addr == 0);
	b.sin_family = 77;
	show(bind(must(socket(AF_INET, SOCK_STREAM, 0)), ADDRESS(b)));
	b = local(0);
	b.sin_addr.s_addr = htonl(0x01020304);
	show(bind(must(socket(AF_INET, SOCK_STREAM, 0)), ADDRESS(b)));
	show(bind(must(socket(AF_INET, SOCK_STREAM, 0)), (struct sockaddr *)&b, 4));
	return 0;
}
