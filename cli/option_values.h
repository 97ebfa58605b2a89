/* Values of options: each checks its text, says what is wrong with it, and keeps it. */
#pragma once

#include "cli/options.h"

void option_set_string(char **to, const char *text);
int option_set_name(char **to, const char *text) must_check;
int option_set_size(uint64_t *to, const char *option, const char *text) must_check;
int option_set_number(unsigned *to, const char *option, const char *text, unsigned least,
	unsigned most) must_check;

int option_set_variable(struct options *, const char *text) must_check;
int option_set_workdir(struct options *, const char *text) must_check;
int option_set_engine(struct options *, const char *text) must_check;
int option_set_network(struct options *, const char *text) must_check;
int option_set_trace(struct options *, const char *text) must_check;
int option_set_label(struct options *, const char *text) must_check;
int option_set_restart(struct options *, const char *text) must_check;
int option_set_health(struct options *, const char *text) must_check;
int option_set_notify(struct options *, const char *text) must_check;
int option_set_syslog(struct options *, const char *text) must_check;
int option_set_filter(struct options *, const char *text) must_check;
int option_add_stamp(struct options *, const char *text) must_check;
int option_relative_stamp(struct options *, const char *text) must_check;
