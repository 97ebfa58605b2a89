/* signal(7), "Interruption of system calls": which calls a handler with SA_RESTART lets go on, one line each. */
/* test: cpus=2 */
#include "lib/check.h"
#include <mqueue.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/timerfd.h>
#include <linux/futex.h>

static int a, b; /* what a case works on */
static uint32_t word;
static char buf[65536];

static void make_pipe(void)
{
	int fd[2];
	must(pipe(fd));
	a = fd[0];
	b = fd[1];
}

static void make_full_pipe(void)
{
	make_pipe();
	must(fcntl(b, F_SETPIPE_SZ, 4096));
	must(write(b, buf, 4096));
}

static void make_pair(void)
{
	int fd[2];
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	a = fd[0];
	b = fd[1];
}

static void make_timed_pair(void)
{
	make_pair();
	must(setsockopt(
		a, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){2, 0}, sizeof(struct timeval)));
}

static void make_listener(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(at);
	a = must(socket(AF_INET, SOCK_STREAM, 0));
	must(bind(a, (struct sockaddr *)&at, size));
	must(listen(a, 5));
	must(getsockname(a, (struct sockaddr *)&at, &size));
	b = ntohs(at.sin_port);
}

static void make_eventfd(void)
{
	a = b = must(eventfd(0, 0));
}

static void make_timerfd(void)
{
	a = must(timerfd_create(CLOCK_MONOTONIC, 0));
}

static void make_inotify(void)
{
	a = must(inotify_init());
	must(inotify_add_watch(a, ".", IN_CREATE));
}

static void make_lock(void)
{
	unlink("lock"); /* what an earlier case holds */
	a = must(open("lock", O_RDWR | O_CREAT, 0600));
	b = must(open("lock", O_RDWR));
}

static void make_flock(void)
{
	make_lock();
	must(flock(b, LOCK_EX));
}

static void make_ofd_lock(void)
{
	make_lock();
	must(fcntl(b, F_OFD_SETLK, &(struct flock){.l_type = F_WRLCK}));
}

static void make_semaphore(void)
{
	a = must(semget(IPC_PRIVATE, 1, 0600));
}

static void make_queue(void)
{
	a = must(msgget(IPC_PRIVATE, 0600));
}

static void make_mqueue(void)
{
	mq_unlink("/restart");
	a = must(mq_open("/restart", O_RDWR | O_CREAT, 0600,
		&(struct mq_attr){.mq_maxmsg = 1, .mq_msgsize = 8}));
}

static void make_word(void)
{
	word = 0;
}

static void make_fifo(void)
{
	unlink("fifo");
	must(mkfifo("fifo", 0600));
}

static void make_epoll(void)
{
	make_pipe();
	a = must(epoll_create1(0));
}

static const struct timespec two_seconds = {2, 0};
static struct pollfd none[1];

static long do_read(void)
{
	return read(a, buf, 8);
}
static long do_readv(void)
{
	return readv(a, &(struct iovec){buf, 8}, 1);
}
static long do_write(void)
{
	return write(b, buf, 4096);
}
static long do_recv(void)
{
	return recv(a, buf, 8, 0);
}
static long do_recvmsg(void)
{
	struct iovec v = {buf, 8};
	return recvmsg(a, &(struct msghdr){.msg_iov = &v, .msg_iovlen = 1}, 0);
}
static long do_accept(void)
{
	return accept(a, NULL, NULL) >= 0 ? 0 : -1;
}
static long do_flock(void)
{
	return flock(a, LOCK_EX);
}
static long do_ofd_lock(void)
{
	return fcntl(a, F_OFD_SETLKW, &(struct flock){.l_type = F_WRLCK});
}
static long do_semop(void)
{
	return semop(a, &(struct sembuf){0, -1, 0}, 1);
}
static long do_semtimedop(void)
{
	return semtimedop(a, &(struct sembuf){0, -1, 0}, 1, &two_seconds);
}
static long do_msgrcv(void)
{
	struct {
		long type;
		char text[8];
	} m;
	return msgrcv(a, &m, 8, 0, 0);
}
static long do_mq_receive(void)
{
	return mq_receive(a, buf, 8, NULL);
}
static long do_mq_timedreceive(void)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 2;
	return mq_timedreceive(a, buf, 8, NULL, &until);
}
static long do_futex(void)
{
	return syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL);
}
static long do_futex_timed(void)
{
	return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &two_seconds);
}
static long do_futex_bitset(void)
{
	return syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 1);
}
static long do_open(void)
{
	return open("fifo", O_RDONLY) >= 0 ? 0 : -1;
}
static long do_poll(void)
{
	return poll(none, 0, 2000);
}
static long do_ppoll(void)
{
	return ppoll(none, 0, &two_seconds, NULL);
}
static long do_select(void)
{
	return select(0, NULL, NULL, NULL, &(struct timeval){2, 0});
}
static long do_pselect(void)
{
	return pselect(0, NULL, NULL, NULL, &two_seconds, NULL);
}
static long do_epoll(void)
{
	struct epoll_event e;
	return epoll_wait(a, &e, 1, 2000);
}
static long do_nanosleep(void)
{
	return nanosleep(&two_seconds, NULL);
}
static long do_clock_nanosleep(void)
{
	errno = clock_nanosleep(CLOCK_MONOTONIC, 0, &two_seconds, NULL);
	return errno ? -1 : 0;
}
static long do_clock_nanosleep_until(void)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 2;
	errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	return errno ? -1 : 0;
}
static long do_pause(void)
{
	return pause();
}
static long do_sigsuspend(void)
{
	sigset_t none_blocked;
	sigemptyset(&none_blocked);
	return sigsuspend(&none_blocked);
}
static long do_sigtimedwait(void)
{
	sigset_t other;
	sigemptyset(&other);
	sigaddset(&other, SIGUSR2);
	return sigtimedwait(&other, NULL, &two_seconds);
}

static void end_write(void)
{
	must(write(b, "12345678", 8));
}
static void end_drain(void)
{
	must(read(a, buf, 4096));
}
static void end_connect(void)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(b), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = must(socket(AF_INET, SOCK_STREAM, 0));
	must(connect(fd, (struct sockaddr *)&at, sizeof(at)));
}
static void end_timer(void)
{
	must(timerfd_settime(a, 0, &(struct itimerspec){{0, 0}, {0, 1}}, NULL));
}
static void end_create(void)
{
	close(must(open("new", O_CREAT | O_RDWR, 0600)));
	unlink("new");
}
static void end_flock(void)
{
	must(flock(b, LOCK_UN));
}
static void end_ofd_lock(void)
{
	must(fcntl(b, F_OFD_SETLK, &(struct flock){.l_type = F_UNLCK}));
}
static void end_semaphore(void)
{
	must(semop(a, &(struct sembuf){0, 1, 0}, 1));
}
static void end_queue(void)
{
	struct {
		long type;
		char text[8];
	} m = {1, "1234567"};
	must(msgsnd(a, &m, 8, 0));
}
static void end_mqueue(void)
{
	must(mq_send(a, "12345678", 8, 0));
}
static void end_futex(void)
{
	word = 1;
	syscall(SYS_futex, &word, FUTEX_WAKE, 1);
}
static void end_fifo(void)
{
	close(must(open("fifo", O_RDWR)));
}
static void end_none(void)
{
}

#define NOTHING end_none
static const struct {
	const char *name;
	void (*make)(void);
	long (*call)(void);
	void (*end)(void);
} cases[] = {
	{"read a pipe", make_pipe, do_read, end_write},
	{"readv a pipe", make_pipe, do_readv, end_write},
	{"write a full pipe", make_full_pipe, do_write, end_drain},
	{"read a socket", make_pair, do_read, end_write},
	{"recv", make_pair, do_recv, end_write},
	{"recvmsg", make_pair, do_recvmsg, end_write},
	{"recv with SO_RCVTIMEO", make_timed_pair, do_recv, end_write},
	{"accept", make_listener, do_accept, end_connect},
	{"read an eventfd", make_eventfd, do_read, end_write},
	{"read a timerfd", make_timerfd, do_read, end_timer},
	{"read inotify", make_inotify, do_read, end_create},
	{"flock", make_flock, do_flock, end_flock},
	{"F_OFD_SETLKW", make_ofd_lock, do_ofd_lock, end_ofd_lock},
	{"semop", make_semaphore, do_semop, end_semaphore},
	{"semtimedop", make_semaphore, do_semtimedop, end_semaphore},
	{"msgrcv", make_queue, do_msgrcv, end_queue},
	{"mq_receive", make_mqueue, do_mq_receive, end_mqueue},
	{"mq_timedreceive", make_mqueue, do_mq_timedreceive, end_mqueue},
	{"FUTEX_WAIT", make_word, do_futex, end_futex},
	{"FUTEX_WAIT with a timeout", make_word, do_futex_timed, end_futex},
	{"FUTEX_WAIT_BITSET", make_word, do_futex_bitset, end_futex},
	{"open a FIFO", make_fifo, do_open, end_fifo},
	{"poll", make_word, do_poll, NOTHING},
	{"ppoll", make_word, do_ppoll, NOTHING},
	{"select", make_word, do_select, NOTHING},
	{"pselect", make_word, do_pselect, NOTHING},
	{"epoll_wait", make_epoll, do_epoll, NOTHING},
	{"nanosleep", make_word, do_nanosleep, NOTHING},
	{"clock_nanosleep", make_word, do_clock_nanosleep, NOTHING},
	{"clock_nanosleep until", make_word, do_clock_nanosleep_until, NOTHING},
	{"pause", make_word, do_pause, NOTHING},
	{"sigsuspend", make_word, do_sigsuspend, NOTHING},
	{"sigtimedwait", make_word, do_sigtimedwait, NOTHING},
};

static pthread_t caller;
static atomic_int caught;
static atomic_bool done;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	caught++;
}

/* A signal while the call waits; what it waits for if it still does then. */
static void *disturb(void *end)
{
	sleep_ms(40);
	pthread_kill(caller, SIGUSR1);
	sleep_ms(40);
	if (!done)
		((void (*)(void))end)();
	return NULL;
}

int main(void)
{
	caller = pthread_self();
	for (int flags = SA_RESTART;; flags = 0) {
		handle(SIGUSR1, on_signal, flags);
		for (size_t i = 0; i < COUNT(cases); i++) {
			cases[i].make();
			done = false;
			caught = 0;
			pthread_t t = start(disturb, (void *)cases[i].end);
			errno = 0;
			long result = cases[i].call();
			const char *error = result < 0 ? strerrorname_np(errno) : "";
			done = true;
			pthread_join(t, NULL);
			printf("%s%s: %s %s caught %d\n", flags ? "SA_RESTART, " : "",
				cases[i].name, result < 0 ? "fails" : "goes on", error, caught);
			fflush(stdout);
		}
		if (!flags)
			return 0;
	}
}
