/* SPDX-License-Identifier: GPL-2.0 */
/* vpvctl: the commands, and what they share. */
#ifndef VPVCTL_H
#define VPVCTL_H

#include <getopt.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define EXIT_USAGE 2

/* The commands; argv[0] is the name.  They return the exit status. */
int cmd_bind(int argc, char **argv);
int cmd_compat(int argc, char **argv);
int cmd_describe(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_persona(int argc, char **argv);
int cmd_plot(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_stream(int argc, char **argv);
int cmd_unbind(int argc, char **argv);
int cmd_watch(int argc, char **argv);

/**
 * struct vpvctl - What was said before or among a command's own options
 * @command: Name of the command, for messages.
 * @root: Prefix of /sys, /proc, /dev, /lib, /boot and /sbin; "" but for tests.
 * @json: Print JSON.
 * @terminal: stdout is a terminal that obeys sequences.
 * @colour: And it wants colours.
 */
struct vpvctl {
	const char *command;
	const char *root;
	bool json;
	bool terminal;
	bool colour;
};

extern struct vpvctl vpvctl;

/* Values of the options that every command takes; own ones are characters. */
enum { OPT_JSON = 0x1000, OPT_ROOT, OPT_HELP };

#define OPTIONS_COMMON \
	{ "json", no_argument, NULL, OPT_JSON }, \
	{ "root", required_argument, NULL, OPT_ROOT }, \
	{ "help", no_argument, NULL, OPT_HELP }, \
	{ NULL, 0, NULL, 0 }

/**
 * next_option() - getopt_long() that deals with the common options and with errors
 * @argc: Of the command.
 * @argv: Of the command.
 * @options: Own long options, then OPTIONS_COMMON.
 * @usage: Printed by --help.
 *
 * Return: Value of an own option, or -1 behind the last one.  Wrong options end the
 * program with one line and EXIT_USAGE.
 */
int next_option(int argc, char **argv, const struct option *options, const char *usage);

/* Number of an option or operand within bounds, or the end with EXIT_USAGE. */
uint64_t number(const char *what, const char *text, uint64_t min, uint64_t max);

/* One line on stderr, and the end with EXIT_USAGE. */
void usage_error(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* One line on stderr; returns 1, the exit status of a command that failed. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

enum paint { PAINT_NONE, PAINT_BOLD, PAINT_GOOD, PAINT_BAD, PAINT_DIM };

/* Text to stdout, coloured if that is wanted. */
void paint(enum paint how, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Memory, zeroed; these end the program when there is none. */
void *xalloc(size_t bytes);
void *xgrow(void *old, size_t bytes);
char *xformat(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Replace what a terminal might obey; for bytes that somebody else wrote. */
char *printable(char *text);

/* A string of JSON; what is not UTF-8, such as in the name of a file, becomes '?'. */
struct json_object *text_json(const char *text);

/* Members of a JSON object. */
void put_text(struct json_object *obj, const char *key, const char *text);
void put_number(struct json_object *obj, const char *key, uint64_t value);
void put_flag(struct json_object *obj, const char *key, bool value);
/* "0x", and the number with at least @digits digits. */
void put_hex(struct json_object *obj, const char *key, unsigned int digits, uint64_t value);
/* A copy of @text, or null if it is empty. */
void put_text_or_null(struct json_object *obj, const char *key, const char *text);

/* Print in several lines, or (@line) in one, and give the object back. */
void print_json(struct json_object *obj, bool line);

#endif /* VPVCTL_H */
