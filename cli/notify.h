/* Telling a web hook that something failed. */
#pragma once

#include <jansson.h>

/*
 * Posts the JSON object (taken over) to url from a process of its own, which tries again with
 * growing pauses for about two minutes and then gives up.  Never waits, never fails.
 */
void notify_post(const char *url, json_t *what);
