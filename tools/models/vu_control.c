// SPDX-License-Identifier: GPL-2.0
/*
 * The control socket: text commands, one a line, each answered by zero or more lines and
 * a last line "ok" or "err MESSAGE".  Documentation/vfio-user.rst lists the commands.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <poll.h>

#include "vu_front.h"

#define MAX_WORDS	16

/* NULL = done; otherwise the text behind "err ". */
typedef const char *(*ctl_fn)(struct vu_dev *dev, int argc, char **argv, FILE *out);

static const char *ctl_help(struct vu_dev *dev, int argc, char **argv, FILE *out);

static const char *ctl_regs(struct vu_dev *dev, int argc, char **argv, FILE *out)
{
	static const struct {
		const char *name;
		unsigned int off, len;
	} config[] = {
		{ "CONFIG.VENDOR", PCI_VENDOR_ID, 2 },
		{ "CONFIG.DEVICE", PCI_DEVICE_ID, 2 },
		{ "CONFIG.COMMAND", PCI_COMMAND, 2 },
		{ "CONFIG.STATUS", PCI_STATUS, 2 },
		{ "CONFIG.BAR0", PCI_BASE_ADDRESS_0, 4 },
		{ "CONFIG.BAR1", PCI_BASE_ADDRESS_1, 4 },
		{ "CONFIG.BAR2", PCI_BASE_ADDRESS_2, 4 },
		{ "CONFIG.BAR3", PCI_BASE_ADDRESS_3, 4 },
		{ "CONFIG.BAR4", PCI_BASE_ADDRESS_4, 4 },
		{ "CONFIG.BAR5", PCI_BASE_ADDRESS_5, 4 },
	};
	const struct vu_config *c = &dev->cfg;

	(void)argc;
	(void)argv;
	for (size_t i = 0; i < sizeof(config) / sizeof(config[0]); i++)
		fprintf(out, "%s 0x%" PRIx32 "\n", config[i].name,
			vu_config_get(dev, config[i].off, config[i].len));
	if (c->pm)
		fprintf(out, "CONFIG.PM 0x%" PRIx32 "\n",
			vu_config_get(dev, c->pm + PCI_PM_CTRL, 2));
	if (c->pcie)
		fprintf(out, "CONFIG.DEVCTL 0x%" PRIx32 "\n",
			vu_config_get(dev, c->pcie + PCI_EXP_DEVCTL, 2));
	if (c->msi)
		fprintf(out, "CONFIG.MSI 0x%" PRIx32 "\n",
			vu_config_get(dev, c->msi + PCI_MSI_FLAGS, 2));
	if (c->msix)
		fprintf(out, "CONFIG.MSIX 0x%" PRIx32 "\n",
			vu_config_get(dev, c->msix + PCI_MSIX_FLAGS, 2));
	if (dev->model->regs)
		dev->model->regs(dev, out);
	return NULL;
}

static const char *ctl_ledger(struct vu_dev *dev, int argc, char **argv, FILE *out)
{
	if (argc == 2 && !strcmp(argv[1], "clear"))
		vu_ledger_clear(&dev->ledger);
	else if (argc == 1)
		vu_ledger_print(&dev->ledger, out);
	else
		return "usage: ledger [clear]";
	return NULL;
}

static const char *ctl_stats(struct vu_dev *dev, int argc, char **argv, FILE *out)
{
	const struct vu_stats *s = &dev->stats;
	const struct {
		const char *name;
		uint64_t value;
	} lines[] = {
		{ "requests", s->requests },
		{ "errors", s->errors },
		{ "connects", s->connects },
		{ "refused", s->refused },
		{ "resets", s->resets },
		{ "region_reads", s->region_reads },
		{ "region_writes", s->region_writes },
		{ "dma_maps", dev->dma.count },
		{ "dma_reads", s->dma_reads },
		{ "dma_read_bytes", s->dma_read_bytes },
		{ "dma_writes", s->dma_writes },
		{ "dma_write_bytes", s->dma_write_bytes },
		{ "dma_faults", s->dma_faults },
		{ "dma_messages", s->dma_messages },
		{ "ledger_pages", dev->ledger.used },
		{ "ledger_lost", dev->ledger.lost },
		{ "irqs", s->irqs },
		{ "irqs_pending", s->irqs_pending },
		{ "irqs_dropped", s->irqs_dropped },
	};

	(void)argc;
	(void)argv;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		fprintf(out, "%s %" PRIu64 "\n", lines[i].name, lines[i].value);
	if (dev->model->stats)
		dev->model->stats(dev, out);
	return NULL;
}

static const char *ctl_faults(struct vu_dev *dev, int argc, char **argv, FILE *out)
{
	(void)argc;
	(void)argv;
	vu_fault_print(dev, out);
	return NULL;
}

static const char *ctl_fault(struct vu_dev *dev, int argc, char **argv, FILE *out)
{
	const char *why = NULL;

	(void)out;
	if (argc < 2)
		return "usage: fault OP|clear fail[=CODE]|delay=MS|hang [count=N] [skip=N]";
	if (argc == 2 && !strcmp(argv[1], "clear"))
		vu_fault_clear(dev);
	else if (vu_fault_arm(dev, argc - 1, argv + 1, &why))
		return why;
	return NULL;
}

static const char *ctl_reset(struct vu_dev *dev, int argc, char **argv, FILE *out)
{
	(void)argc;
	(void)argv;
	(void)out;
	vu_dev_reset(dev, VU_RESET_POWER_ON);
	return NULL;
}

static const char *ctl_soft_reset(struct vu_dev *dev, int argc, char **argv, FILE *out)
{
	(void)out;
	if (argc != 2 || (strcmp(argv[1], "0") && strcmp(argv[1], "1")))
		return "usage: soft_reset 0|1";
	vu_config_soft_reset(dev, argv[1][0] == '1');
	return NULL;
}

static const char *ctl_exit(struct vu_dev *dev, int argc, char **argv, FILE *out)
{
	(void)dev;
	(void)out;
	_exit(argc > 1 ? atoi(argv[1]) & 0xff : 0);
}

static const struct {
	const char *name;
	ctl_fn fn;
	const char *help;
} commands[] = {
	{ "help", ctl_help, "help                     this list" },
	{ "regs", ctl_regs, "regs                     all registers" },
	{ "ledger", ctl_ledger, "ledger [clear]           pages written: IOVA, number of writes" },
	{ "stats", ctl_stats, "stats                    counters" },
	{ "faults", ctl_faults, "faults                   fault points and what is armed" },
	{ "fault", ctl_fault,
	  "fault OP fail[=CODE]|delay=MS|hang [count=N] [skip=N]; fault clear" },
	{ "reset", ctl_reset, "reset                    power-on reset" },
	{ "soft_reset", ctl_soft_reset, "soft_reset 0|1           1: D3hot to D0 is a reset (0)" },
	{ "exit", ctl_exit, "exit [CODE]              die at once" },
};

static const char *ctl_help(struct vu_dev *dev, int argc, char **argv, FILE *out)
{
	(void)argc;
	(void)argv;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "%s\n", commands[i].help);
	if (dev->model->commands)
		fputs(dev->model->commands, out);
	return NULL;
}

static int split(char *line, char **argv)
{
	int argc = 0;
	char *save;

	for (char *w = strtok_r(line, " \t\r\n", &save); w; w = strtok_r(NULL, " \t\r\n", &save)) {
		if (argc == MAX_WORDS)
			return -E2BIG;
		argv[argc++] = w;
	}
	return argc;
}

static const char *run(struct vu_dev *dev, int argc, char **argv, FILE *out)
{
	int err = -ENOENT;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[0], commands[i].name))
			return commands[i].fn(dev, argc, argv, out);
	if (dev->model->command)
		err = dev->model->command(dev, argc, argv, out);
	if (err == -ENOENT)
		return "no such command";
	return err ? strerror(-err) : NULL;
}

void vu_ctl_command(struct vu_dev *dev, char *line, FILE *out)
{
	char *argv[MAX_WORDS];
	int argc = split(line, argv);
	const char *why;

	if (!argc)
		return;
	why = argc < 0 ? "too many words" : run(dev, argc, argv, out);
	if (why)
		fprintf(out, "err %s\n", why);
	else
		fputs("ok\n", out);
}

/* ---- client ---- */

void vu_ctl_open(struct vu_ctl *ctl, int fd)
{
	memset(ctl, 0, sizeof(*ctl));
	ctl->fd = fd;
}

void vu_ctl_close(struct vu_ctl *ctl)
{
	if (ctl->fd >= 0)
		close(ctl->fd);
	free(ctl->out);
	ctl->out = NULL;
	ctl->fd = -1;
}

/* No command is read while an answer is under way: a slow reader slows only itself. */
short vu_ctl_events(const struct vu_ctl *ctl)
{
	return ctl->out ? POLLOUT : POLLIN;
}

static void flush_out(struct vu_ctl *ctl)
{
	while (ctl->out_done < ctl->out_len) {
		ssize_t n = send(ctl->fd, ctl->out + ctl->out_done, ctl->out_len - ctl->out_done,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			vu_ctl_close(ctl);
			return;
		}
		ctl->out_done += (size_t)n;
	}
	free(ctl->out);
	ctl->out = NULL;
}

static void answer(struct vu_ctl *ctl, struct vu_dev *dev, bool overlong)
{
	FILE *out = open_memstream(&ctl->out, &ctl->out_len);

	if (!out) {
		vu_ctl_close(ctl);
		return;
	}
	if (overlong)
		fputs("err line too long\n", out);
	else
		vu_ctl_command(dev, ctl->line, out);
	fclose(out);
	ctl->out_done = 0;
	if (ctl->out)
		flush_out(ctl);
}

/* Runs the complete lines in the buffer until an answer cannot be sent at once. */
static void run_lines(struct vu_ctl *ctl, struct vu_dev *dev)
{
	while (ctl->fd >= 0 && !ctl->out) {
		char *end = memchr(ctl->line, '\n', ctl->have);
		bool overlong = ctl->overlong;
		size_t used;

		if (!end && ctl->have == sizeof(ctl->line)) {
			ctl->overlong = true;
			ctl->have = 0;
		}
		if (!end)
			return;
		*end = 0;
		used = (size_t)(end - ctl->line) + 1;
		ctl->overlong = false;
		answer(ctl, dev, overlong);
		ctl->have -= used;
		memmove(ctl->line, ctl->line + used, ctl->have);
	}
}

void vu_ctl_io(struct vu_ctl *ctl, struct vu_dev *dev)
{
	ssize_t n;

	if (ctl->out) {
		flush_out(ctl);
		run_lines(ctl, dev);
		return;
	}
	n = recv(ctl->fd, ctl->line + ctl->have, sizeof(ctl->line) - ctl->have, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		vu_ctl_close(ctl);
		return;
	}
	ctl->have += (size_t)n;
	run_lines(ctl, dev);
}
