// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps a TCP connection to an echo port busy over each of some network interfaces, and
 * checks every byte that comes back. It is not told of migrations.
 *
 * What is sent is a sequence of records with number, checksum and content of their own; what
 * comes back must be the same records, each once and in order. Reports go to the control
 * line (line.h); the word "stop" ends the run: each connection is shut down, what was sent is
 * awaited up to the end of file, and the last report says ok=1 or ok=0.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "line.h"
#include "workload.h"

#define STREAMS_MAX	4
#define RECORD_BYTES	1024
#define RECORD_WORDS	((RECORD_BYTES - sizeof(struct head)) / sizeof(uint64_t))
#define CONNECT_MS	30000
#define END_MS		60000

/* Of a record. @crc: of the whole record, with this member zero. */
struct head {
	uint64_t number;
	uint32_t stream;
	uint32_t crc;
};

struct record {
	struct head head;
	uint64_t data[RECORD_WORDS];
};

/*
 * @sent, @done: records. @out: bytes of the record @out_buf that are on their way, @in: those of
 * @in_buf that are back. @over: nothing more comes.
 */
struct stream {
	const char *name;
	unsigned int index;
	int fd;
	struct record out_buf, in_buf;
	size_t out, in;
	uint64_t sent, done, bad, lost, again;
	bool broken, over;
};

const char line_tag[] = "NET";

static struct {
	const char *address;
	unsigned int port, gap_ms, burst, interval_ms;
} opt = { "10.76.0.1", 7, 10, 4, 200 };

static struct stream streams[STREAMS_MAX];
static unsigned int num_streams;
static int64_t began_ms, alive_ms;
static uint64_t longest_ms;

/* ---- records ---- */

static void record_make(struct record *r, uint32_t stream, uint64_t number)
{
	uint64_t x = number * 0x9e3779b97f4a7c15ull + stream + 1;
	size_t i;

	r->head = (struct head){ .number = number, .stream = stream };
	for (i = 0; i < RECORD_WORDS; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		r->data[i] = x;
	}
	r->head.crc = crc32(0, (const Bytef *)r, sizeof(*r));
}

/* Count what is wrong with a record that came back. */
static void record_check(struct stream *s)
{
	struct record want, *r = &s->in_buf;
	uint32_t crc = r->head.crc;

	r->head.crc = 0;
	if (crc32(0, (const Bytef *)r, sizeof(*r)) != crc) {
		line_log("%s: record %llu: checksum", s->name, (unsigned long long)s->done);
		s->bad++;
	} else if (r->head.number > s->done) {
		line_log("%s: record %llu instead of %llu", s->name,
			 (unsigned long long)r->head.number, (unsigned long long)s->done);
		s->lost += r->head.number - s->done;
		s->done = r->head.number;
	} else if (r->head.number < s->done) {
		line_log("%s: record %llu again, instead of %llu", s->name,
			 (unsigned long long)r->head.number, (unsigned long long)s->done);
		s->again++;
		return;
	} else {
		record_make(&want, s->index, s->done);
		r->head.crc = crc;
		if (memcmp(&want, r, sizeof(want))) {
			line_log("%s: record %llu: content", s->name,
				 (unsigned long long)s->done);
			s->bad++;
		}
	}
	s->done++;
}

/* ---- streams ---- */

static void stream_broken(struct stream *s, const char *what, int err)
{
	line_log("%s: %s: %s", s->name, what, strerror(err));
	s->broken = true;
	s->over = true;
}

static int stream_open(struct stream *s)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(opt.port) };
	struct timeval limit = { .tv_sec = CONNECT_MS / 1000 };

	if (inet_pton(AF_INET, opt.address, &to.sin_addr) != 1)
		return -EINVAL;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return -errno;
	/* Several interfaces lead to the peer; each stream stays on its own. */
	if (setsockopt(s->fd, SOL_SOCKET, SO_BINDTODEVICE, s->name, strlen(s->name) + 1) ||
	    setsockopt(s->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ||
	    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)) ||
	    connect(s->fd, (struct sockaddr *)&to, sizeof(to)) ||
	    fcntl(s->fd, F_SETFL, O_NONBLOCK))
		return -errno;
	return 0;
}

/* Send what is left of this record, or a new one. False when no more can be sent now. */
static bool stream_send(struct stream *s)
{
	ssize_t n;

	if (!s->out)
		record_make(&s->out_buf, s->index, s->sent);
	n = send(s->fd, (char *)&s->out_buf + s->out, RECORD_BYTES - s->out, MSG_NOSIGNAL);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			stream_broken(s, "send", errno);
		return false;
	}
	s->out += n;
	if (s->out < RECORD_BYTES)
		return false;
	s->out = 0;
	s->sent++;
	return true;
}

static void stream_receive(struct stream *s)
{
	while (!s->over) {
		ssize_t n = recv(s->fd, (char *)&s->in_buf + s->in, RECORD_BYTES - s->in, 0);

		if (n < 0) {
			if (errno != EAGAIN && errno != EINTR)
				stream_broken(s, "receive", errno);
			return;
		}
		if (!n) {
			s->over = true;
			return;
		}
		s->in += n;
		if (s->in == RECORD_BYTES) {
			s->in = 0;
			record_check(s);
		}
	}
}

/* Segments that TCP had to send again. */
static uint64_t stream_resent(const struct stream *s)
{
	struct tcp_info info = { 0 };
	socklen_t bytes = sizeof(info);

	getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &info, &bytes);
	return info.tcpi_total_retrans;
}

/* ---- reports ---- */

static void report(const char *kind, const char *more)
{
	uint64_t sent = 0, done = 0, bad = 0, lost = 0, again = 0, resent = 0, broken = 0;
	uint64_t least = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < num_streams; i++) {
		const struct stream *s = &streams[i];

		sent += s->sent;
		done += s->done;
		bad += s->bad;
		lost += s->lost;
		again += s->again;
		broken += s->broken;
		resent += stream_resent(s);
		least = s->done < least ? s->done : least;
	}
	line_report("%s t=%lld sub=%llu done=%llu least=%llu lost=%llu dup=%llu bad=%llu "
		    "broken=%llu resent=%llu streams=%u longest=%llu%s", kind,
		    (long long)(line_now_ms() - began_ms), (unsigned long long)sent,
		    (unsigned long long)done, (unsigned long long)least,
		    (unsigned long long)lost, (unsigned long long)again,
		    (unsigned long long)bad, (unsigned long long)broken,
		    (unsigned long long)resent, num_streams, (unsigned long long)longest_ms, more);
}

/* True when the run is to end. */
static bool obey(void)
{
	const char *line = line_command();

	if (!strncmp(line, "report", 6))
		report("progress", "");
	return !strncmp(line, "stop", 4);
}

/* ---- the run ---- */

static void send_burst(struct stream *s)
{
	/* What is on its way stays bounded, so that a pause of the peer is seen at once. */
	while (!s->over && s->sent - s->done < opt.burst * 4ull)
		if (!stream_send(s) || !(s->sent % opt.burst))
			return;
}

static void receive_all(struct pollfd *fds)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < num_streams; i++) {
		if (!fds[i].revents)
			continue;
		stream_receive(&streams[i]);
		any = true;
	}
	if (any) {
		uint64_t pause = line_now_ms() - alive_ms;

		longest_ms = pause > longest_ms ? pause : longest_ms;
		alive_ms += pause;
	}
}

/* Wait for data, or for a word, which is told by true, but at most for so long. */
static bool serve(int64_t wait_ms)
{
	struct pollfd fds[STREAMS_MAX + 1];
	unsigned int i;

	for (i = 0; i < num_streams; i++) {
		int fd = streams[i].over ? -1 : streams[i].fd;

		fds[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
	fds[num_streams] = (struct pollfd){ .fd = line_fd(), .events = POLLIN };
	if (poll(fds, num_streams + 1, wait_ms > 0 ? wait_ms : 0) <= 0)
		return false;
	receive_all(fds);
	return fds[num_streams].revents & POLLIN && obey();
}

static void run(void)
{
	int64_t report_ms = line_now_ms(), send_ms = report_ms, now;
	unsigned int i;

	do {
		now = line_now_ms();
		if (now >= report_ms) {
			report("progress", "");
			report_ms = now + opt.interval_ms;
		}
		if (now >= send_ms) {
			for (i = 0; i < num_streams; i++)
				send_burst(&streams[i]);
			send_ms = now + opt.gap_ms;
		}
		/* A stream that ends by itself is broken. */
		for (i = 0; i < num_streams; i++)
			if (streams[i].over && !streams[i].broken)
				stream_broken(&streams[i], "end of file", EPIPE);
	} while (!serve((report_ms < send_ms ? report_ms : send_ms) - now));
}

static bool all_over(void)
{
	unsigned int i;

	for (i = 0; i < num_streams; i++)
		if (!streams[i].over)
			return false;
	return true;
}

/* Complete the records that are on their way, and await them and the end of file. */
static int finish(void)
{
	int64_t end_ms = line_now_ms() + END_MS;
	bool ok = true;
	unsigned int i;

	while (line_now_ms() < end_ms) {
		bool part = false;

		for (i = 0; i < num_streams; i++)
			if (streams[i].out && !streams[i].over)
				part |= !stream_send(&streams[i]);
		if (!part)
			break;
		serve(opt.gap_ms);
	}
	for (i = 0; i < num_streams; i++)
		shutdown(streams[i].fd, SHUT_WR);
	while (!all_over() && line_now_ms() < end_ms)
		serve(opt.interval_ms);
	for (i = 0; i < num_streams; i++) {
		struct stream *s = &streams[i];

		if (!s->over)
			stream_broken(s, "no end of file", ETIMEDOUT);
		if (s->sent > s->done)
			s->lost += s->sent - s->done;
		ok &= s->sent && s->done == s->sent && !s->in && !s->broken && !s->bad &&
		      !s->lost && !s->again;
	}
	report("final", ok ? " ok=1" : " ok=0");
	return ok ? 0 : 1;
}

static const struct workload_option options[] = {
	{ 'a', .text = &opt.address },
	{ 'p', .number = &opt.port },
	{ 'g', .number = &opt.gap_ms },
	{ 'n', .number = &opt.burst },
	{ 'i', .number = &opt.interval_ms },
	{ 0 },
};

static bool valid(int argc, char **argv)
{
	for (int i = 0; i < argc && num_streams < STREAMS_MAX; i++, num_streams++) {
		streams[num_streams].name = argv[i];
		streams[num_streams].index = num_streams;
	}
	return num_streams && (int)num_streams == argc && opt.burst && opt.gap_ms &&
	       opt.interval_ms;
}

static int start(void)
{
	for (unsigned int i = 0; i < num_streams; i++) {
		int err = stream_open(&streams[i]);

		if (err) {
			line_log("%s: cannot connect: %s", streams[i].name, strerror(-err));
			return err;
		}
	}
	began_ms = line_now_ms();
	alive_ms = began_ms;
	report("start", "");
	return 0;
}

static const struct workload workload = {
	.usage = "usage: net_workload [-c TTY] [-a ADDRESS] [-p PORT] [-g MS] [-n RECORDS] [-i REPORT_MS] INTERFACE...\n",
	.options = options,
	.valid = valid,
	.start = start,
	.run = run,
	.finish = finish,
};

int main(int argc, char **argv)
{
	return workload_main(&workload, argc, argv);
}
