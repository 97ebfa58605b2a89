/* Frames from the host, by kind. */
#include "kernel/inspect/inspect.h"

#include "abi/channel.h"
#include "kernel/inspect/debugger.h"
#include "kernel/inspect/profiler.h"
#include "kernel/lib/log.h"

void inspect_frame(unsigned kind, const void *content, uint32_t len)
{
	if (kind == CHANNEL_DEBUG)
		debugger_frame(content, len);
	else if (kind == CHANNEL_PROFILE)
		profiler_frame(content, len);
	else
		log_warn("host channel: a frame of unknown kind %u", kind);
}
