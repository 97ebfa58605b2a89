/* The one table of commands. */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#define ANY 100000

/* clang-format off */
const struct command commands[] = {
	{"run", command_run, FOR_RUN, WORDS_FILES, NULL, "[OPTIONS] PROGRAM|IMAGE [ARG...]",
		"run a program or an image as a machine of its own",
		"Runs PROGRAM (a path, or a name looked up in $PATH) with the libraries and files it\n"
		"needs, or an IMAGE made by mote build, as a machine of its own.  Arguments that name\n"
		"files of this host bring them along; everything else is added with -f.  What the\n"
		"program writes is gone when it ends, except with --rw IMAGE.\n\n"
		"With -d it runs in the background as an instance that the other commands name; its\n"
		"output goes to its log.  Without, the instance is gone when the program ends.\n\n"
		"Example: mote run -p 8080:80 nginx -g 'daemon off;'", 0, ANY},
	{"build", command_build, FOR_BUILD, WORDS_FILES, NULL,
		"[OPTIONS] PROGRAM [-o FILE] [ARG...]\n[OPTIONS] DIR [-o FILE] [PROGRAM [ARG...]]",
		"make an image of a program or a folder",
		"Makes an ext4 image of PROGRAM and what it needs, or of everything in DIR.  The same\n"
		"inputs give the same image, byte for byte.  ARGs, -e and -w become the image's\n"
		"defaults.", 0, ANY},
	{"image", command_image, FOR_IMAGE, WORDS_CHOICE, "inspect ls tree cat",
		"inspect [--json] IMAGE\nls [--json] IMAGE [PATH]\ntree [--json] IMAGE [PATH]\ncat IMAGE PATH",
		"look into an image: inspect, ls, tree, cat",
		"Looks into an ext4 image.  inspect tells what it runs and how large it is.", 1, 3},
	{"trace", command_trace, FOR_TRACE, WORDS_FILES, NULL, "[OPTIONS] PROGRAM|IMAGE [ARG...]",
		"run a program and print its system calls, as strace does",
		"Runs PROGRAM as mote run does and writes a line per system call, in strace's words, to\n"
		"stderr.  All threads are traced.  -e, -c, -t, -s and the others mean what they mean to\n"
		"strace; what mote run calls -e, -c and -t is --env, --cpus and --tty here.\n\n"
		"Example: mote trace -e trace=%file -y python3 app.py", 0, ANY},
	{"debug", command_debug, FOR_DEBUG, WORDS_RUNNING, NULL,
		"[OPTIONS] NAME\n[OPTIONS] PROGRAM|IMAGE [ARG...]", "run gdb on a program in its machine",
		"gdb with the program's own symbols, threads and libraries; the program stands before its\n"
		"first instruction.  NAME is an instance that runs: it goes on when gdb leaves it.\n"
		"With --kernel gdb sees the machine's kernel instead.\n\n"
		"Example: mote debug -x 'break main' -x continue ./server", 0, ANY},
	{"profile", command_profile, FOR_PROFILE, WORDS_RUNNING, NULL,
		"[OPTIONS] NAME\n[OPTIONS] PROGRAM|IMAGE [ARG...]", "draw where a program spends its time",
		"Samples the stacks of the program and of its kernel on every busy CPU, and writes a flame\n"
		"graph: the wider a box, the more time; hover for names.  NAME is an instance that runs.\n"
		"Stacks follow frame pointers: compile with -fno-omit-frame-pointer.  Ctrl-C ends it.\n\n"
		"Example: mote profile -o server.svg ./server", 0, ANY},
	{"core", command_core, FOR_CORE, WORDS_RUNNING, NULL, "[-o FILE] NAME",
		"write a core file of a running program",
		"The program stands while it is written, and goes on.  gdb PROGRAM FILE reads it.", 1, 1},
	{"ps", command_ps, FOR_PS, WORDS_NONE, NULL, "[OPTIONS]", "list instances",
		"Lists the instances that run, with -a those that have ended too.", 0, 0},
	{"logs", command_logs, FOR_LOGS, WORDS_INSTANCES, NULL, "[OPTIONS] NAME",
		"print what an instance wrote",
		"Prints the output of an instance that was started with -d, unchanged: what the program\n"
		"wrote to stdout, and on stderr what it wrote there and what mote says about it.", 1, 1},
	{"stop", command_stop, FOR_STOP, WORDS_RUNNING, NULL, "[-t SECONDS] NAME...",
		"ask instances to stop",
		"The program gets SIGTERM; if it has not ended in time its machine is ended.  It is not\n"
		"started again, whatever its --restart says.", 1, ANY},
	{"kill", command_kill, FOR_KILL, WORDS_RUNNING, NULL, "[-s SIGNAL] NAME...",
		"end machines at once, or send their programs a signal",
		"Without -s the machine is ended at once.  Other signals reach the program: TERM, INT\n"
		"and HUP.", 1, ANY},
	{"start", command_start, FOR_START, WORDS_INSTANCES, NULL, "NAME...",
		"start instances that have ended again",
		"Does again what mote run did, with the program as it is now.", 1, ANY},
	{"restart", command_restart, FOR_RESTART, WORDS_INSTANCES, NULL, "[-t SECONDS] NAME...",
		"stop and start instances", "As mote stop and mote start.", 1, ANY},
	{"wait", command_wait, FOR_WAIT, WORDS_INSTANCES, NULL, "NAME...",
		"wait until instances have ended, print their exit statuses",
		"One line per instance.  Restarts do not count as an end.", 1, ANY},
	{"pause", command_pause, FOR_PAUSE, WORDS_RUNNING, NULL, "NAME...", "halt machines",
		"The machine stands still, its clock too; mote unpause lets it go on.", 1, ANY},
	{"unpause", command_unpause, FOR_UNPAUSE, WORDS_RUNNING, NULL, "NAME...",
		"let halted machines go on", "After mote pause.", 1, ANY},
	{"rm", command_rm, FOR_RM, WORDS_INSTANCES, NULL, "[-f] NAME...", "forget instances that have ended",
		"Removes their logs and state; with -f also of those that run, which are ended first.", 1, ANY},
	{"prune", command_prune, FOR_PRUNE, WORDS_NONE, NULL, "[--filter KEY=VALUE]",
		"forget all instances that have ended",
		"Removes all instances that do not run, and what killed processes left half made.", 0, 0},
	{"rename", command_rename, FOR_RENAME, WORDS_INSTANCES, NULL, "NAME NEW", "give an instance another name",
		"It may run meanwhile.", 2, 2},
	{"inspect", command_inspect, FOR_INSPECT, WORDS_INSTANCES, NULL, "NAME...",
		"print all that is known about instances, as JSON",
		"An array with one object per instance: config is what was asked for, state what is.", 1, ANY},
	{"stats", command_stats, FOR_STATS, WORDS_RUNNING, NULL, "[--json] [NAME...]",
		"print what instances use",
		"CPU and memory of this host that each takes, and what its machine counts itself:\n"
		"memory, threads, network, disk.  The machine is asked over a channel that needs no\n"
		"network; one in the foreground has none.", 0, ANY},
	{"top", command_top, FOR_TOP, WORDS_RUNNING, NULL, "[--once] [NAME...]",
		"watch what instances use", "As mote stats, again every two seconds; q leaves.", 0, ANY},
	{"metrics", command_metrics, FOR_METRICS, WORDS_NONE, NULL, "[--listen ADDR:PORT] [--once]",
		"serve the numbers of all instances to Prometheus",
		"Answers GET /metrics with Prometheus' text format until it is ended.", 0, 0},
	{"network", command_network, FOR_NETWORK, WORDS_CHOICE, "create ls rm",
		"create NAME...\nls [--json]\nrm NAME...",
		"networks that instances share: create, ls, rm",
		"mote run --network NAME joins a network, and makes it if need be.  Its machines reach\n"
		"each other by address and by name: NAME.mote, or just NAME.  Published ports and the\n"
		"way out of this host are as without.", 1, ANY},
	{"volume", command_volume, FOR_VOLUME, WORDS_CHOICE,
		"create ls inspect resize rm check snapshot backup restore",
		"create -s SIZE [--from DIR|TAR] NAME\nls [--json]\ninspect NAME...\nresize -s SIZE NAME\n"
		"rm NAME...\ncheck NAME\nsnapshot NAME NEW\nbackup [--base FILE] NAME FILE\n"
		"restore [--base FILE] NAME FILE",
		"disks that outlive machines: create, ls, inspect, resize, rm, check, snapshot, backup, restore",
		"A volume is an ext4 file system in a sparse file; mote run -v NAME:/path mounts it.  One\n"
		"machine at a time writes to it.  backup and snapshot may be made while a machine runs: it\n"
		"stands still meanwhile, and what it had not written yet is not in them.  A backup is an\n"
		"image that mote run -v and Linux mount; with --base it holds only what differs from that\n"
		"earlier backup, and restore needs both.", 1, ANY},
	{"doctor", command_doctor, FOR_DOCTOR, WORDS_NONE, NULL, "[--json]",
		"say what this host offers, and what is chosen",
		"Says which engine would run a machine on this host and why, and what is missing.\n"
		"Exit status 0 when machines can run, 125 when something they need is missing.", 0, 0},
	{"completion", command_completion, FOR_COMPLETION, WORDS_CHOICE, "bash zsh fish", "bash|zsh|fish",
		"print a shell's completion of mote",
		"Prints a script that makes the shell complete commands, options and instances.", 1, 1},
	{"manual", command_manual, FOR_MANUAL, WORDS_NONE, NULL, "[COMMAND]",
		"print a manual page",
		"Prints the page of a command, or of mote, for man: mote manual run | man -l -", 0, 1},
};
/* clang-format on */

const size_t n_commands = sizeof(commands) / sizeof(commands[0]);

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < n_commands; i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

void command_print_help(const struct command *c)
{
	const char *line = c->synopsis;

	for (const char *prefix = "Usage:"; line; prefix = "      ") {
		int len = (int)strcspn(line, "\n");

		printf("%s mote %s %.*s\n", prefix, c->name, len, line);
		line = line[len] ? line + len + 1 : NULL;
	}
	printf("\n%s\n\nOptions:\n", c->about);
	options_print_help(c);
}
