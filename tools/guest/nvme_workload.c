// SPDX-License-Identifier: GPL-2.0
/*
 * Has fio write to a file system on a disk and verify what it reads back, and looks at the
 * controller as a user does: by nvme-cli and config space. It is not told of migrations.
 *
 * Reports go to the control line (line.h). The word "look" reads everything that identifies
 * the controller and compares it with the first look; "stop" ends fio, checks the file system,
 * and the last report says ok=1 or ok=0.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "line.h"
#include "workload.h"

#define MOUNT	"/mnt"
#define DATA	MOUNT "/data"
#define JSON	"/tmp/fio.json"
#define ERRORS	"/tmp/fio.errors"
#define LOOK	"/tmp/look"
#define END_MS	60000
#define TEXT_MAX	(64 << 10)
#define WORDS_MAX	24

const char line_tag[] = "NVM";

static struct {
	const char *disk;
	unsigned int mib, depth, backlog, interval_ms;
} opt = { "nvme0n1", 24, 16, 64, 250 };

/* What identifies a controller and its disk. @file: "%s" is the disk. @crc: of the first look. */
static struct {
	const char *name;
	const char *command;	/* NULL: a file */
	const char *file;
	uint8_t *first;
	size_t bytes;
	uint32_t crc;
} views[] = {
	{ .name = "ctrl", .command = "nvme id-ctrl /dev/nvme0 --raw-binary", .file = LOOK },
	{ .name = "ns", .command = "nvme id-ns /dev/nvme0 -n 1 --raw-binary", .file = LOOK },
	{ .name = "desc", .command = "nvme ns-descs /dev/nvme0 -n 1 --raw-binary", .file = LOOK },
	{ .name = "eui", .file = "/sys/block/%s/eui" },
	{ .name = "nguid", .file = "/sys/block/%s/nguid" },
	{ .name = "config", .file = "/sys/class/nvme/nvme0/device/config" },
};

#define VIEWS (sizeof(views) / sizeof(views[0]))

static int64_t began_ms;
static uint64_t reads_before, writes_before;
static unsigned int looks, complaints;
static pid_t fio_pid;
static bool fio_over;

/* ---- programs ---- */

/* Start the words of a line; output to files, or to the console. */
static pid_t spawn(const char *line, const char *out, const char *errors)
{
	static char text[1024];
	char *words[WORDS_MAX] = { NULL };
	unsigned int num = 0;
	pid_t pid;

	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok(text, " "); word && num < WORDS_MAX - 1; word = strtok(NULL, " "))
		words[num++] = word;
	pid = fork();
	if (pid)
		return pid;
	if ((out && !freopen(out, "w", stdout)) || (errors && !freopen(errors, "w", stderr)))
		_exit(127);
	execvp(words[0], words);
	_exit(127);
}

/* Its exit status. */
static int run(const char *line, const char *out)
{
	pid_t pid = spawn(line, out, NULL);
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What is in a file; ends with a zero that does not count. */
static size_t slurp(const char *path, uint8_t *buf, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t bytes = 0;
	ssize_t n;

	while (fd >= 0 && bytes < room - 1 && (n = read(fd, buf + bytes, room - 1 - bytes)) > 0)
		bytes += n;
	if (fd >= 0)
		close(fd);
	buf[bytes] = 0;
	return bytes;
}

/* ---- the controller ---- */

static bool view(unsigned int i)
{
	static uint8_t now[TEXT_MAX];
	int status = views[i].command ? run(views[i].command, LOOK) : 0;
	char path[64];
	size_t bytes;

	snprintf(path, sizeof(path), views[i].file, opt.disk);
	bytes = slurp(path, now, sizeof(now));

	if (status || !bytes) {
		line_log("%s: status %d, %zu bytes", views[i].name, status, bytes);
		return false;
	}
	if (!views[i].first) {
		views[i].first = malloc(bytes);
		if (!views[i].first)
			return false;
		memcpy(views[i].first, now, bytes);
		views[i].bytes = bytes;
		views[i].crc = crc32(0, now, bytes);
		return true;
	}
	for (size_t at = 0; at < bytes && bytes == views[i].bytes; at++) {
		if (now[at] == views[i].first[at])
			continue;
		line_log("%s: byte %zu is %#x, and was %#x", views[i].name, at, now[at],
			 views[i].first[at]);
		return false;
	}
	return bytes == views[i].bytes;
}

static bool look(void)
{
	unsigned int same = 0;

	for (unsigned int i = 0; i < VIEWS; i++)
		same += view(i);
	looks++;
	line_report("look number=%u views=%zu same=%u ctrl=%u ns=%u desc=%u eui=%u nguid=%u config=%u",
		    looks, VIEWS, same, views[0].crc, views[1].crc, views[2].crc, views[3].crc,
		    views[4].crc, views[5].crc);
	return same == VIEWS;
}

/* ---- the kernel's log ---- */

static void read_log(void)
{
	static const char *const bad[] = {
		"timeout", "timed out", "I/O error", "Abort", "abort", "EXT4-fs error",
		"EXT4-fs warning", "controller is down", "reset controller", "blocked for more",
	};
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char line[1024];
	ssize_t n;

	while (fd >= 0 && ((n = read(fd, line, sizeof(line) - 1)) > 0 || errno == EPIPE)) {
		line[n > 0 ? n : 0] = 0;
		for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			if (!strstr(line, bad[i]))
				continue;
			complaints++;
			line[strcspn(line, "\n")] = 0;
			line_log("kernel: %s", line);
			break;
		}
	}
	if (fd >= 0)
		close(fd);
}

/* ---- reports ---- */

/* Reads and writes that the disk has completed, and sectors written; all since the guest booted. */
static void count(uint64_t *reads, uint64_t *writes, uint64_t *sectors)
{
	unsigned long long r = 0, w = 0, s = 0;
	char path[64];
	FILE *file;

	*reads = 0;
	*writes = 0;
	*sectors = 0;

	snprintf(path, sizeof(path), "/sys/block/%s/stat", opt.disk);
	file = fopen(path, "r");
	if (!file)
		return;
	if (fscanf(file, "%llu %*u %*u %*u %llu %*u %llu", &r, &w, &s) == 3) {
		*reads = r;
		*writes = w;
		*sectors = s;
	}
	fclose(file);
}

/* Every read of fio is verified. */
static void report(const char *kind, const char *more)
{
	uint64_t reads, writes, sectors;

	count(&reads, &writes, &sectors);
	line_report("%s t=%lld done=%llu sub=%llu writes=%llu sectors=%llu%s", kind,
		    (long long)(line_now_ms() - began_ms),
		    (unsigned long long)(reads - reads_before),
		    (unsigned long long)(reads - reads_before + writes - writes_before),
		    (unsigned long long)(writes - writes_before), (unsigned long long)sectors,
		    more);
}

/* ---- fio ---- */

static bool fio_start(void)
{
	char line[1024];

	snprintf(line, sizeof(line),
		 "fio --name=verify --filename=" DATA " --size=%um --bs=4k "
		 "--rw=randwrite --direct=1 --ioengine=libaio --iodepth=%u --verify=crc32c "
		 "--verify_backlog=%u --verify_fatal=1 --time_based --runtime=100000 "
		 "--thread --output-format=json --output=" JSON,
		 opt.mib, opt.depth, opt.backlog);
	fio_pid = spawn(line, NULL, ERRORS);
	return fio_pid > 0;
}

/* A number in fio's report: the first "NAME" behind @from. */
static uint64_t number(const char *from, const char *name)
{
	char word[64];
	const char *at;

	snprintf(word, sizeof(word), "\"%s\" : ", name);
	at = from ? strstr(from, word) : NULL;
	return at ? strtoull(at + strlen(word), NULL, 10) : UINT64_MAX;
}

static const char *section(const char *from, const char *name)
{
	char word[64];

	snprintf(word, sizeof(word), "\"%s\" : {", name);
	return from ? strstr(from, word) : NULL;
}

static uint64_t longest_us(const char *way)
{
	uint64_t ns = number(section(section(way, "clat_ns"), "clat_ns"), "max");

	return ns == UINT64_MAX ? 0 : ns / 1000;
}

/* What fio says of itself: true if it has found nothing wrong. */
static bool fio_result(char *more, size_t room, uint64_t *wrote)
{
	static uint8_t text[TEXT_MAX];
	const char *job, *reads, *writes;
	uint64_t error, verified, written;
	bool found;

	found = slurp(ERRORS, text, sizeof(text));
	if (found)
		line_log("fio: %.300s", strtok((char *)text, "\n"));
	if (!slurp(JSON, text, sizeof(text)))
		line_log("fio has left no report");
	job = strstr((char *)text, "\"jobs\"");
	reads = section(job, "read");
	writes = section(job, "write");
	error = number(job, "error");
	verified = number(reads, "total_ios");
	written = number(writes, "total_ios");
	*wrote = written == UINT64_MAX ? 0 : written;
	snprintf(more, room, " verified=%llu written=%llu errors=%llu longest_read_us=%llu longest_write_us=%llu",
		 (unsigned long long)verified, (unsigned long long)written,
		 (unsigned long long)error, (unsigned long long)longest_us(reads),
		 (unsigned long long)longest_us(writes));
	return !error && verified && verified != UINT64_MAX && written != UINT64_MAX && !found;
}

/*
 * All of the file once more, each block of which was written: also what was written on the other
 * side of a migration, long ago.  Returns how many blocks are what they were.
 */
static uint64_t whole_file(void)
{
	static uint8_t text[TEXT_MAX];
	uint64_t blocks;
	char line[512];

	snprintf(line, sizeof(line),
		 "fio --name=whole --filename=" DATA " --size=%um --bs=4k --rw=read --direct=1 "
		 "--ioengine=libaio --iodepth=%u --verify=crc32c --verify_fatal=1 --thread "
		 "--output-format=json --output=" JSON, opt.mib, opt.depth);
	if (run(line, NULL) || !slurp(JSON, text, sizeof(text)))
		return 0;
	blocks = number(section(strstr((char *)text, "\"jobs\""), "read"), "total_ios");
	return blocks == UINT64_MAX ? 0 : blocks;
}

/* Until fio has ended, but at most for so long. */
static bool fio_wait(int64_t ms)
{
	int64_t end = line_now_ms() + ms;

	do {
		if (!fio_over)
			fio_over = waitpid(fio_pid, NULL, WNOHANG) == fio_pid;
		if (!fio_over)
			usleep(ms ? 20000 : 0);
	} while (!fio_over && line_now_ms() < end);
	return fio_over;
}

/* ---- the run ---- */

static bool prepare(void)
{
	char line[128];

	snprintf(line, sizeof(line), "mke2fs -q -t ext4 -F /dev/%s", opt.disk);
	if (run(line, NULL)) {
		line_log("no file system on %s", opt.disk);
		return false;
	}
	snprintf(line, sizeof(line), "/dev/%s", opt.disk);
	if (mount(line, MOUNT, "ext4", 0, NULL)) {
		line_log("mount: %s", strerror(errno));
		return false;
	}
	return true;
}

/* True when the run is to end. */
static bool obey(void)
{
	const char *line = line_command();

	if (!strncmp(line, "look", 4))
		look();
	return !strncmp(line, "stop", 4);
}

static void serve(void)
{
	struct pollfd p = { .fd = line_fd(), .events = POLLIN };
	int64_t report_ms = line_now_ms();
	bool stop = false, told = false;

	while (!stop) {
		int64_t left = report_ms - line_now_ms();

		if (left <= 0) {
			report("progress", "");
			report_ms += opt.interval_ms;
			left = 0;
		}
		if (poll(&p, 1, left) > 0)
			stop = obey();
		if (fio_wait(0) && !told) {
			told = true;
			line_log("fio has ended by itself");
		}
	}
}

static int finish(void)
{
	const uint64_t blocks = (uint64_t)opt.mib << 8;
	bool ended = fio_over, ok, same;
	uint64_t written, whole = 0;
	char more[512], all[704], line[128];
	int fsck = -1;

	if (!ended)
		kill(fio_pid, SIGINT);
	fio_wait(END_MS);
	ok = fio_result(more, sizeof(more), &written) && !ended && fio_over;
	/* Its first pass has each block once. */
	if (ok && written >= blocks) {
		whole = whole_file();
		ok = whole == blocks;
	}
	same = look();
	if (umount(MOUNT)) {
		line_log("umount: %s", strerror(errno));
	} else {
		snprintf(line, sizeof(line), "e2fsck -f -n /dev/%s", opt.disk);
		fsck = run(line, "/tmp/fsck");
	}
	read_log();
	ok = ok && same && !fsck && !complaints;
	snprintf(all, sizeof(all), "%s blocks=%llu whole=%llu fsck=%d complaints=%u looks=%u same=%d ok=%d",
		 more, (unsigned long long)blocks, (unsigned long long)whole, fsck, complaints, looks,
		 same, ok);
	report("final", all);
	return ok ? 0 : 1;
}

static const struct workload_option options[] = {
	{ 'd', .text = &opt.disk },
	{ 's', .number = &opt.mib },
	{ 'q', .number = &opt.depth },
	{ 'b', .number = &opt.backlog },
	{ 'i', .number = &opt.interval_ms },
	{ 0 },
};

static bool valid(int argc, char **argv)
{
	(void)argv;
	return !argc && opt.mib && opt.depth && opt.backlog && opt.interval_ms;
}

static int start(void)
{
	uint64_t sectors;

	if (!prepare() || !look())
		return -EIO;
	began_ms = line_now_ms();
	count(&reads_before, &writes_before, &sectors);
	if (!fio_start())
		return -EIO;
	report("start", "");
	return 0;
}

static const struct workload workload = {
	.usage = "usage: nvme_workload [-c TTY] [-d DISK] [-s MIB] [-q DEPTH] [-b BACKLOG] [-i REPORT_MS]\n",
	.options = options,
	.valid = valid,
	.start = start,
	.run = serve,
	.finish = finish,
};

int main(int argc, char **argv)
{
	return workload_main(&workload, argc, argv);
}
