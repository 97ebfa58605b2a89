/* Times, timers and clocks as system calls pass them.  struct linux_timespec is in stat.h. */
#pragma once

#include "abi/linux/stat.h"

struct linux_timeval {
	int64_t tv_sec, tv_usec;
};

struct linux_timezone {
	int32_t tz_minuteswest, tz_dsttime;
};

struct linux_itimerval {
	struct linux_timeval it_interval, it_value;
};

struct linux_itimerspec {
	struct linux_timespec it_interval, it_value;
};

struct linux_utimbuf {
	int64_t actime, modtime;
};

struct linux_tms {
	int64_t tms_utime, tms_stime, tms_cutime, tms_cstime;
};

#define ITIMER_REAL 0
#define ITIMER_VIRTUAL 1
#define ITIMER_PROF 2
#define TIMER_ABSTIME 1

#define SIGEV_SIGNAL 0
#define SIGEV_NONE 1
#define SIGEV_THREAD 2
#define SIGEV_THREAD_ID 4

struct linux_sigevent {
	uint64_t value;
	int32_t signal, notify;
	int32_t tid;
	uint8_t rest[44];
};
_Static_assert(sizeof(struct linux_sigevent) == 64, "sigevent_t");

/* Clocks of CPU time have negative numbers: ~id << 3 | per_thread << 2 | kind. */
#define CLOCK_CPU_KIND 3
#define CLOCK_CPU_PROF 0
#define CLOCK_CPU_VIRT 1
#define CLOCK_CPU_SCHED 2
#define CLOCK_CPU_PER_THREAD 4

struct linux_timex {
	uint32_t modes, pad0;
	int64_t offset, freq, maxerror, esterror;
	int32_t status, pad1;
	int64_t constant, precision, tolerance;
	struct linux_timeval time;
	int64_t tick, ppsfreq, jitter;
	int32_t shift, pad2;
	int64_t stabil, jitcnt, calcnt, errcnt, stbcnt;
	int32_t tai, pad3[11];
};
_Static_assert(sizeof(struct linux_timex) == 208, "struct timex");
#define TIME_OK 0
#define TIME_ERROR 5
#define ADJ_OFFSET 0x0001u
#define ADJ_FREQUENCY 0x0002u
#define ADJ_MAXERROR 0x0004u
#define ADJ_ESTERROR 0x0008u
#define ADJ_STATUS 0x0010u
#define ADJ_TIMECONST 0x0020u
#define ADJ_TAI 0x0080u
#define ADJ_SETOFFSET 0x0100u
#define ADJ_MICRO 0x1000u
#define ADJ_NANO 0x2000u
#define ADJ_OFFSET_READ_ONLY 0x2000u /* with ADJ_ADJTIME */
#define ADJ_TICK 0x4000u
#define ADJ_ADJTIME 0x8000u
#define STA_PLL 0x01u
#define STA_FLL 0x08u
#define STA_INS 0x10
#define STA_DEL 0x20
#define STA_UNSYNC 0x40u
#define STA_FREQHOLD 0x80u
#define STA_NANO 0x2000u
#define STA_MODE 0x4000u
#define STA_READ_ONLY 0xff00u
