/*
 * What whoever starts the machine hands the kernel: the command line's grammar and the ports
 * through which the machine's end is told.  Shared by cli/, monitor/ and kernel/.
 *
 * The command line is Linux's (kernel-parameters), words separated by blanks.  A word or the part
 * after its '=' may stand in double quotes; inside quotes, and only there, these escapes hold:
 *     \" \\ \n \t \xHH
 * so that any byte string but NUL can be carried.  Words before "--":
 *
 *     root=/dev/vda          the block device with the root image; LABEL=, UUID= and PARTUUID= find it too
 *     init=/bin/app          the program
 *     ip=ADDR:SERVER:GW:MASK:HOST:IF:AUTOCONF:DNS0:DNS1   as Linux's nfsroot.txt; "ip=dhcp", "ip=off"
 *     console=ttyS0|hvc0|none     quiet     panic=SECONDS
 *     rw | ro                the root is written in place | a tmpfs overlay takes the writes (default)
 *     virtio_mmio.device=SIZE@BASE:IRQ   one virtio-mmio transport (may repeat)
 *     mote.*                 mote's own switches, listed below
 *     KEY=VALUE              anything else with a '=': goes to the program's environment
 *
 * Words after "--" are the program's arguments.
 */
#pragma once

#define BOOT_COMMAND_LINE_MAX 65536 /* bytes, with the NUL */

/*
 *     mote.env=KEY=VALUE     one environment variable, whatever its name (may repeat)
 *     mote.mount=DISK:/path[:ro]   one more file system, DISK as in root= (may repeat; the folder is made)
 *     mote.argv0=NAME        argv[0] when it is not init= itself
 *     mote.cwd=/path         working directory of the program; "/" otherwise
 *     mote.trace=syscall     tell system calls: records to the host channel, else one line each on the console
 *     mote.trace=NAME,...    only these calls
 *     mote.seed=HEX          bytes mixed into the entropy pool
 *     mote.time=SECONDS.NS   wall clock at the start (UTC), for machines without a clock chip
 *     mote.tty               the console is a terminal: isatty(3) is true
 *     mote.missing-files     at exit, list the paths looked for and not found
 *     mote.exit_port=0xPORT  an isa-debug-exit device (4 bytes wide)
 *     mote.status_port=0xPORT  an isa-debugcon device: takes the status record below
 *     mote.tsc_khz=N         the time stamp counter's rate, where the host knows it
 *     mote.control           the console's input is framed: see BOOT_CONTROL below
 *     mote.channel           there is a host channel: abi/channel.h
 */
#define BOOT_CONTROL_OPTION "mote.control"

/*
 * What arrives on the console when the command line has mote.control: bytes for the program, and
 * BOOT_CONTROL followed by one of these.  BOOT_CONTROL twice stands for that byte itself.
 */
#define BOOT_CONTROL 0x10          /* DLE */
#define BOOT_CONTROL_END 'E'       /* end of input: read(2) returns 0 from here on */
#define BOOT_CONTROL_TERMINATE 'T' /* SIGTERM to the program, as the power button does */
#define BOOT_CONTROL_INTERRUPT 'I' /* SIGINT */
#define BOOT_CONTROL_HANGUP 'H'    /* SIGHUP */

/*
 * The status record, lines of text:
 *     "started\n"        the program is about to run: input that comes from now on is not lost
 * and, just before the machine ends, one of:
 *     "exited N\n"       the program's exit status, 0..255
 *     "killed N\n"       ended by signal N (its report is on the console)
 *     "oom\n"            ended for want of memory
 *     "panic\n"          the kernel's own mistake (its report is on the console)
 *     "failed TEXT\n"    the machine could not start the program; TEXT is for a person, and starts
 *                        with the exit code to use: "126 ..." or "127 ..." or "125 ..."
 * The value written to the exit port is STATUS & 0x7f, which QEMU turns into (value << 1) | 1.
 */
#define BOOT_STATUS_MAX 512 /* bytes, with the newline */
