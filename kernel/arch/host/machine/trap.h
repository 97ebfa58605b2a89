/* Host port: nothing traps; a frame holds what tests want to see in it. */
#pragma once

struct trap_frame {
	uintptr_t ip, sp, fp;
	unsigned long number, args[6];
	long result;
	bool restarted;
};
