// SPDX-License-Identifier: GPL-2.0
/*
 * The full-screen view of vpvctl watch, in plain ANSI sequences: the alternate screen, one
 * line a function.  It is drawn over what was there, so that nothing flickers.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "screen.h"
#include "vpvctl.h"

#define ENTER	"\033[?1049h\033[?25l"
#define LEAVE	"\033[?25h\033[?1049l"
#define HOME	"\033[H"
#define END	"\033[J"

static struct termios saved;
static bool keys;
static volatile sig_atomic_t ended;

static void on_signal(int number)
{
	ended = number;
}

void screen_open(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };
	struct termios raw;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
	keys = !tcgetattr(STDIN_FILENO, &saved);
	if (keys) {
		raw = saved;
		raw.c_lflag &= ~(ICANON | ECHO);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	fputs(ENTER, stdout);
}

void screen_close(void)
{
	fputs(LEAVE, stdout);
	fflush(stdout);
	if (keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

static bool key_quits(void)
{
	char key;

	if (read(STDIN_FILENO, &key, 1) == 1)
		return key == 'q' || key == 'Q';
	keys = false;
	return false;
}

bool screen_wait(double *next, double interval)
{
	double left = 0;

	*next += interval;
	while (!ended && (left = *next - clock_now()) > 0) {
		struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };

		if (poll(&fd, keys, left * 1000 + 1) == 1 && key_quits())
			return false;
	}
	if (left < -interval)
		*next = clock_now();
	return !ended;
}

/* Columns and rows; of a terminal that does not tell, the usual ones. */
static struct winsize size(void)
{
	struct winsize window;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) || !window.ws_col || !window.ws_row)
		window = (struct winsize){ .ws_col = 80, .ws_row = 24 };
	return window;
}

/* "12.3 MiB" */
static void bytes_text(uint64_t bytes, const char *per, char *text, size_t room)
{
	static const char * const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = bytes;
	int unit = 0;

	while (value >= 1024 && unit < 4) {
		value /= 1024;
		unit++;
	}
	snprintf(text, room, unit ? "%.1f %s%s" : "%.0f %s%s", value, units[unit], per);
}

static void session_text(const struct mig_session *s, uint64_t rate, char *text, size_t room)
{
	char bytes[24], per_second[24];

	if (!s->any) {
		snprintf(text, room, "-");
		return;
	}
	bytes_text(s->bytes, "", bytes, sizeof(bytes));
	bytes_text(rate, "/s", per_second, sizeof(per_second));
	snprintf(text, room, "%s %s", bytes, s->result == -EINPROGRESS ? per_second :
		 session_result(s));
}

/* State that has still to be sent, what became dirty again with it, and how long that takes. */
static void rest_text(const struct mig_session *s, uint64_t rate, char *text, size_t room)
{
	double seconds = session_seconds(s, rate);
	char bytes[24];

	if (!s->any || s->result != -EINPROGRESS || !s->rest) {
		snprintf(text, room, "-");
		return;
	}
	bytes_text(s->rest, "", bytes, sizeof(bytes));
	snprintf(text, room, seconds < 0 ? "%s" : "%s, %.0f s", bytes, seconds);
}

/* One line of at most @columns characters, and nothing of the old one behind it. */
static void line(enum paint how, int columns, const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		return;
	paint(how, "%.*s", columns, text);
	fputs("\033[K\n", stdout);
	free(text);
}

static enum paint state_paint(const char *state)
{
	if (!strcmp(state, "ERROR") || !strcmp(state, "gone"))
		return PAINT_BAD;
	return strcmp(state, "RUNNING") ? PAINT_BOLD : PAINT_NONE;
}

static void draw_function(const struct watched *w, int columns, double now)
{
	const char *state = w->mig.state[0] ? w->mig.state : "gone";
	char save[64], load[64], rest[64], dirty[24] = "-";

	session_text(&w->mig.save, w->save_rate, save, sizeof(save));
	session_text(&w->mig.load, w->load_rate, load, sizeof(load));
	rest_text(&w->mig.save, w->save_rate, rest, sizeof(rest));
	if (w->mig.save.dirty)
		bytes_text(w->mig.save.dirty, "", dirty, sizeof(dirty));
	line(state_paint(state), columns, "%-13s %-13s %8.1f s  %-24s %-18s %-10s %-24s %s",
	     w->fn.bdf, state, now - w->since, save, rest, dirty, load, w->mig.error);
}

void screen_draw(const struct watched *all, int n)
{
	struct winsize window = size();
	int rows = window.ws_row - 4, migrating = 0;
	double now = clock_now();
	char when[32];
	time_t wall = time(NULL);
	struct tm tm;

	for (int i = 0; i < n; i++)
		migrating += state_paint(all[i].mig.state) == PAINT_BOLD;
	strftime(when, sizeof(when), "%H:%M:%S", localtime_r(&wall, &tm));
	fputs(HOME, stdout);
	line(PAINT_NONE, window.ws_col, "%s  %d functions, %d not in RUNNING  (q: leave)", when, n,
	     migrating);
	line(PAINT_NONE, window.ws_col, "%s", "");
	line(PAINT_BOLD, window.ws_col, "%-13s %-13s %8s    %-24s %-18s %-10s %-24s %s", "DEVICE",
	     "STATE", "FOR", "SAVED", "TO COME", "DIRTY", "LOADED", "LAST ERROR");
	for (int i = 0; i < n && i < rows; i++)
		draw_function(&all[i], window.ws_col, now);
	if (n > rows)
		paint(PAINT_DIM, "%d more", n - rows);
	fputs(END, stdout);
}
