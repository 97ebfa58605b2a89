/* The commands: each takes its own words (argv[0] is its name) and returns mote's exit status. */
#pragma once

int command_run(int argc, char **argv);
int command_build(int argc, char **argv);
int command_image(int argc, char **argv);
int command_doctor(int argc, char **argv);
