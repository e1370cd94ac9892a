/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A managing controller for tests of variants/nvme_cf: it has one migratable controller, does
 * what the hardware page says, and fails as it is told.
 */
#ifndef FAKE_MANAGING_H
#define FAKE_MANAGING_H

#include <linux/device.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "../../variants/nvme_cf/nvme_cf.h"

#define FAKE_SCRIPT	4
#define FAKE_LOG	64

/**
 * struct fake_end - How a command ends
 * @err: Errno; 0: as it should.
 * @status: With -EREMOTEIO.
 * @carried: It was carried out before it failed.
 */
struct fake_end {
	int err;
	u16 status;
	bool carried;
};

/**
 * struct fake - A managing controller, and the controller of the test
 * @pdev: Function of the controller.
 * @control: What was published.
 * @managing: What it can do.
 * @profile: Of the controller.
 * @profiled: It has one.
 * @suspended: It is suspended.
 * @busy: How often a resume finds a disk of somebody else.
 * @state: What Get State gives, or Set State has taken.
 * @state_bytes: Its size.
 * @unstable: Get State tells that the controller was not suspended.
 * @tracking: It is tracked.
 * @offer: A start of tracking is refused with what is offered: dword 0 and 1.
 * @report: What Track Receive gives.
 * @ends: How the next commands of @ends_opcode end, in turn.
 * @num_ends: Their number.
 * @ends_opcode: See @ends.
 * @log: Dword 10 of commands, opcode in the bits above.
 * @cdw11: Their dword 11; likewise @cdw12 and @cdw15.
 * @num: Number of commands.
 */
struct fake {
	struct pci_dev pdev;
	struct vpv_control *control;
	struct nvcf_managing managing;
	struct nvcf_profile profile;
	bool profiled;
	bool suspended;
	unsigned int busy;
	u8 *state;
	u32 state_bytes;
	bool unstable;
	bool tracking;
	u32 offer[2];
	const void *report;
	struct fake_end ends[FAKE_SCRIPT];
	unsigned int num_ends;
	u8 ends_opcode;
	u64 log[FAKE_LOG];
	u32 cdw11[FAKE_LOG];
	u32 cdw12[FAKE_LOG];
	u32 cdw15[FAKE_LOG];
	unsigned int num;
};

static inline int fake_status(struct nvcf_command *cmd, u16 status)
{
	cmd->status = status;
	return status ? -EREMOTEIO : 0;
}

static inline int fake_send(struct fake *f, struct nvcf_command *cmd)
{
	switch (cmd->cdw10 & 0xff) {
	case NVS_SEND_SUSPEND:
		f->suspended = true;
		return 0;
	case NVS_SEND_RESUME:
		if (!f->suspended)
			return fake_status(cmd, NVS_SC_NOT_SUSPENDED);
		if (f->busy) {
			f->busy--;
			return fake_status(cmd, NVS_SC_NAMESPACE_NOT_READY);
		}
		f->suspended = false;
		return 0;
	}
	if (!f->suspended)
		return fake_status(cmd, NVS_SC_INVALID_CNTLID);
	memcpy(f->state + cmd->cdw12, cmd->data, cmd->bytes);
	f->state_bytes = cmd->cdw12 + cmd->bytes;
	return 0;
}

static inline int fake_carry_out(struct fake *f, struct nvcf_command *cmd)
{
	switch (cmd->opcode) {
	case NVS_ADMIN_MIGRATION_SEND:
		return fake_send(f, cmd);
	case NVS_ADMIN_MIGRATION_RECEIVE:
		memcpy(cmd->data, f->state + cmd->cdw12, cmd->bytes);
		cmd->dw0 = f->suspended && !f->unstable ? NVS_CSUP : 0;
		return 0;
	case NVCF_ADMIN_PROFILE_RECEIVE:
		memcpy(cmd->data, &f->profile, sizeof(f->profile));
		cmd->dw0 = f->profiled ? NVCF_PROFILE_GIVEN : 0;
		return 0;
	case NVS_ADMIN_TRACK_SEND:
		if (!(cmd->cdw10 >> 16)) {
			f->tracking = false;
			return 0;
		}
		cmd->dw0 = f->offer[0];
		cmd->dw1 = f->offer[1];
		if (f->offer[1])
			return fake_status(cmd, NVS_SC_NOT_ENOUGH_RESOURCES);
		if (f->tracking)
			return fake_status(cmd, NVS_SC_INVALID_CNTLID);
		f->tracking = true;
		return 0;
	case NVS_ADMIN_TRACK_RECEIVE:
		memcpy(cmd->data, f->report, cmd->bytes);
		return f->tracking ? 0 : fake_status(cmd, NVS_SC_INVALID_CNTLID);
	}
	return fake_status(cmd, NVS_SC_INVALID_OPCODE);
}

static int fake_exec(void *priv, struct nvcf_command *cmd)
{
	struct fake *f = priv;
	struct fake_end end = {};

	if (f->num < FAKE_LOG) {
		f->log[f->num] = (u64)cmd->opcode << 32 | cmd->cdw10;
		f->cdw11[f->num] = cmd->cdw11;
		f->cdw12[f->num] = cmd->cdw12;
		f->cdw15[f->num++] = cmd->cdw15;
	}
	if (f->num_ends && cmd->opcode == f->ends_opcode) {
		end = f->ends[0];
		memmove(f->ends, f->ends + 1, sizeof(f->ends) - sizeof(f->ends[0]));
		f->num_ends--;
	}
	if (!end.err || end.carried) {
		int err = fake_carry_out(f, cmd);

		if (!end.err)
			return err;
	}
	cmd->status = end.status;
	return end.err;
}

static const struct nvcf_managing *fake_can(void *priv)
{
	return &((struct fake *)priv)->managing;
}

static const struct nvcf_control_ops fake_ops = {
	.managing = fake_can,
	.exec = fake_exec,
};

static inline void fake_release(struct device *dev)
{
}

static inline int fake_publish(struct fake *f)
{
	f->control = vpv_control_publish(&f->pdev.dev, NVCF_FAMILY, &fake_ops, f, NULL);
	if (!IS_ERR(f->control))
		return 0;
	return PTR_ERR(f->control);
}

/* A reset of the managing controller, its end, or its unbinding: all suspensions end. */
static inline void fake_withdraw(struct fake *f)
{
	vpv_control_withdraw(f->control);
	f->control = NULL;
	f->suspended = false;
	f->tracking = false;
}

#endif /* FAKE_MANAGING_H */
