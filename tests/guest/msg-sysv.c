/* System V message queues: order, types, limits, waiting, removal, what msgctl tells. */
/* test: cpus=2 */
#include "lib/check.h"
#include <sys/ipc.h>
#include <sys/msg.h>

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

static struct {
	long type;
	char text[9000];
} m;
static int id;
static atomic_int ready;

static void send_text(long type, const char *text)
{
	m.type = type;
	strcpy(m.text, text);
	must(msgsnd(id, &m, strlen(text), 0));
}

static void receive(long type, int flags)
{
	long n = msgrcv(id, &m, sizeof(m.text), type, flags);
	if (n < 0)
		printf("%ld/%o: %s\n", type, flags, strerrorname_np(errno));
	else
		printf("%ld/%o: %ld [%.*s]\n", type, flags, m.type, (int)n, m.text);
}

static void *receiver(void *type)
{
	struct {
		long type;
		char text[100];
	} r;
	ready++;
	long n = msgrcv(id, &r, sizeof(r.text), (intptr_t)type, 0);
	return (void *)(n < 0 ? -(long)errno : n);
}

static void *sender(void *unused)
{
	static struct {
		long type;
		char text[8192];
	} s = {.type = 1};
	ready++;
	printf("sender: %d\n", msgsnd(id, &s, 100, 0));
	return NULL;
}

/* Said when it is over, since nothing orders it among what this thread says. */
static void join_receiver(pthread_t t)
{
	void *result;
	pthread_join(t, &result);
	long n = (long)result;
	printf("receiver: %ld %s\n", n < 0 ? -1 : n, n < 0 ? strerrorname_np((int)-n) : "");
}

static void await(int n)
{
	while (ready < n)
		sched_yield();
	sleep_ms(50);
}

static void stat_line(void)
{
	struct msqid_ds ds;
	must(msgctl(id, IPC_STAT, &ds));
	printf("%lu messages %lu bytes of %lu; %d%d %d%d\n", ds.msg_qnum, ds.__msg_cbytes,
		ds.msg_qbytes, ds.msg_stime != 0, ds.msg_rtime != 0, ds.msg_lspid == getpid(),
		ds.msg_lrpid == getpid());
}

static void on_alarm(int sig, siginfo_t *info, void *context)
{
}

static void errors(void)
{
	m.type = 0;
	show(msgsnd(id, &m, 1, 0));
	m.type = 1;
	show(msgsnd(id, &m, 8193, 0));
	show(msgsnd(id, &m, -1, 0));
	show(msgsnd(-1, &m, 1, 0));
	show(msgsnd(id + 1, &m, 1, 0));
	show(msgsnd(id, wild(), 1, 0));
	show(msgrcv(id, &m, -1, 0, 0));
	show(msgrcv(id, &m, 1, 0, IPC_NOWAIT));
	show(msgrcv(-1, &m, 1, 0, 0));
	show(msgctl(id, 99, NULL));
	show(msgctl(-1, IPC_RMID, NULL));
	show(msgget(0x4d6f7467, 0600));
	handle(SIGALRM, on_alarm, SA_RESTART);
	ualarm(30000, 0);
	show(msgrcv(id, &m, 1, 0, 0));
}

int main(void)
{
	id = must(msgget(IPC_PRIVATE, IPC_CREAT | 0600));
	errors();
	send_text(3, "three");
	send_text(1, "one");
	send_text(2, "two");
	send_text(1, "uno");
	send_text(7, "");
	stat_line();
	show(msgrcv(id, &m, 2, 3, 0));
	receive(2, 0);
	receive(1, MSG_EXCEPT);
	receive(-5, 0);
	receive(5, IPC_NOWAIT);
	receive(0, MSG_COPY | IPC_NOWAIT);
	receive(1, MSG_COPY | IPC_NOWAIT);
	receive(9, MSG_COPY | IPC_NOWAIT);
	receive(0, MSG_COPY);
	stat_line();
	memset(m.text, 0, 10);
	show(msgrcv(id, &m, 2, 0, MSG_NOERROR));
	printf("%.5s\n", m.text);
	receive(0, 0);
	receive(0, IPC_NOWAIT);
	pthread_t t = start(receiver, (void *)4);
	await(1);
	send_text(5, "not his");
	send_text(4, "his");
	join_receiver(t);
	receive(0, 0);
	/* Full. */
	m.type = 1;
	must(msgsnd(id, &m, 8192, 0));
	must(msgsnd(id, &m, 8192, 0));
	show(msgsnd(id, &m, 1, IPC_NOWAIT));
	stat_line();
	t = start(sender, NULL);
	await(2);
	must(msgrcv(id, &m, 8192, 0, 0));
	pthread_join(t, NULL);
	stat_line();
	struct msqid_ds ds;
	must(msgctl(id, IPC_STAT, &ds));
	ds.msg_qbytes = 100;
	show(msgctl(id, IPC_SET, &ds));
	stat_line();
	show(msgsnd(id, &m, 1, IPC_NOWAIT));
	struct msginfo info;
	must(msgctl(0, IPC_INFO, (void *)&info));
	printf("%d %d %d\n", info.msgmax, info.msgmnb, info.msgmni);
	t = start(receiver, (void *)99);
	await(3);
	show(msgctl(id, IPC_RMID, NULL));
	join_receiver(t);
	show(msgrcv(id, &m, 1, 0, 0));
	return 0;
}
