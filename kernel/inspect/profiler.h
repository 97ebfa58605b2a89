/* Inside kernel/inspect: profiling. */
#pragma once

#include "kernel/lib/base.h"

/* A CHANNEL_PROFILE frame. */
void profiler_frame(const void *content, uint32_t len);
