/* Inside kernel/inspect: debugging. */
#pragma once

#include "kernel/lib/base.h"

/* A CHANNEL_DEBUG frame. */
void debugger_frame(const void *content, uint32_t len);
