// SPDX-License-Identifier: GPL-2.0
/* Options, messages, memory and JSON of all commands. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "vpvctl.h"

struct vpvctl vpvctl = { .root = "" };

static void say(const char *format, va_list args)
{
	fflush(stdout);
	fprintf(stderr, "vpvctl%s%s: ", vpvctl.command ? " " : "",
		vpvctl.command ? vpvctl.command : "");
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void usage_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	exit(EXIT_USAGE);
}

int fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	return 1;
}

static void no_memory(void)
{
	fputs("vpvctl: out of memory\n", stderr);
	exit(1);
}

void *xalloc(size_t bytes)
{
	void *p = calloc(1, bytes ? bytes : 1);

	if (!p)
		no_memory();
	return p;
}

void *xgrow(void *old, size_t bytes)
{
	void *p = realloc(old, bytes);

	if (!p)
		no_memory();
	return p;
}

char *xformat(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		no_memory();
	va_end(args);
	return text;
}

char *printable(char *text)
{
	for (char *c = text; *c; c++)
		if (!isascii((unsigned char)*c) || !isprint((unsigned char)*c))
			*c = '?';
	return text;
}

/* Before a command its name ends the options; behind it they may come anywhere. */
static int option_word(int argc, char **argv, const struct option *options)
{
	opterr = 0;
	return getopt_long(argc, argv, vpvctl.command ? ":" : "+:", options, NULL);
}

/* A letter in a group of letters does not end its word, so that the index is still at it. */
static const char *wrong_word(int argc, char **argv)
{
	const char *next = optind < argc ? argv[optind] : "";

	if (next[0] == '-' && next[1] && next[1] == optopt && next[2])
		return next;
	return argv[optind - 1];
}

int next_option(int argc, char **argv, const struct option *options, const char *usage)
{
	for (;;) {
		int opt = option_word(argc, argv, options);

		switch (opt) {
		case OPT_JSON:
			vpvctl.json = true;
			continue;
		case OPT_ROOT:
			vpvctl.root = optarg;
			continue;
		case OPT_HELP:
			if (!usage)
				return opt;
			printf("usage: vpvctl %s\n", usage);
			exit(0);
		case ':':
			usage_error("option '%s' needs a value", argv[optind - 1]);
		case '?':
			usage_error("unknown or wrong option '%s'", wrong_word(argc, argv));
		default:
			return opt;
		}
	}
}

uint64_t number(const char *what, const char *text, uint64_t min, uint64_t max)
{
	/* 010 is ten to most, as in maps of personas. */
	bool octal = text[0] == '0' && isdigit((unsigned char)text[1]);
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (!isdigit((unsigned char)text[0]) || octal || *end || errno || value < min || value > max)
		usage_error("%s must be a number from %llu to %llu, not '%s'", what,
			    (unsigned long long)min, (unsigned long long)max, text);
	return value;
}

void paint(enum paint how, const char *format, ...)
{
	static const char * const codes[] = {
		[PAINT_NONE] = "",
		[PAINT_BOLD] = "\033[1m", [PAINT_GOOD] = "\033[32m",
		[PAINT_BAD] = "\033[31m", [PAINT_DIM] = "\033[2m",
	};
	va_list args;

	if (vpvctl.colour)
		fputs(codes[how], stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	if (vpvctl.colour)
		fputs("\033[0m", stdout);
}

/* Bytes of the character at @text, or 0 if that is none of UTF-8. */
static size_t utf8_bytes(const char *text)
{
	static const struct {
		uint8_t mask;
		uint8_t lead;
		uint32_t least;
	} forms[] = {
		{ 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 },
	};
	const uint8_t *byte = (const uint8_t *)text;

	if (*byte < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		uint32_t code = *byte & ~forms[i].mask & 0xff;
		size_t n = 0;

		if ((*byte & forms[i].mask) != forms[i].lead)
			continue;
		while (n <= i && (byte[n + 1] & 0xc0) == 0x80)
			code = code << 6 | (byte[++n] & 0x3f);
		return n == i + 1 && code >= forms[i].least && code <= 0x10ffff &&
		       code >> 11 != 0xd800 >> 11 ? n + 1 : 0;
	}
	return 0;
}

/* Where @text ends, or the first byte that is not of UTF-8. */
static char *utf8_end(char *text)
{
	size_t n;

	while (*text && (n = utf8_bytes(text)))
		text += n;
	return text;
}

struct json_object *text_json(const char *text)
{
	struct json_object *obj;
	char *copy, *wrong;

	if (!*utf8_end((char *)text))
		return json_object_new_string(text);
	copy = xformat("%s", text);
	for (wrong = copy; *(wrong = utf8_end(wrong));)
		*wrong = '?';
	obj = json_object_new_string(copy);
	free(copy);
	return obj;
}

void put_text(struct json_object *obj, const char *key, const char *text)
{
	json_object_object_add(obj, key, text_json(text));
}

void put_text_or_null(struct json_object *obj, const char *key, const char *text)
{
	json_object_object_add(obj, key, text && *text ? text_json(text) : NULL);
}

void put_number(struct json_object *obj, const char *key, uint64_t value)
{
	json_object_object_add(obj, key, json_object_new_uint64(value));
}

void put_flag(struct json_object *obj, const char *key, bool value)
{
	json_object_object_add(obj, key, json_object_new_boolean(value));
}

void put_hex(struct json_object *obj, const char *key, unsigned int digits, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%0*llx", (int)digits, (unsigned long long)value);
	put_text(obj, key, text);
}

void print_json(struct json_object *obj, bool line)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE |
		    (line ? JSON_C_TO_STRING_PLAIN :
		     JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);

	puts(json_object_to_json_string_ext(obj, flags));
	json_object_put(obj);
}
