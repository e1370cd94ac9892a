// SPDX-License-Identifier: GPL-2.0
/*
 * nvme_cf: what the managing controller does to a migratable one as a whole: suspend and
 * resume it, give it an identity and take it away.
 */
#include <errno.h>
#include <string.h>

#include "nvme_cf.h"

#define BAD_CNTLID	(NVS_SC_INVALID_CNTLID | NVS_SC_DNR)
#define BAD_FIELD	(NVS_SC_INVALID_FIELD | NVS_SC_DNR)
#define BAD_SEQUENCE	(NVS_SC_COMMAND_SEQUENCE | NVS_SC_DNR)

struct nvcf_ctrl *nvcf_target(const struct nvcf_ctrl *m, const struct nvcf_cmd *cmd)
{
	struct nvcf_ctrl *c = nvcf_find(m->sub, le32toh(cmd->sqe.cdw11) & 0xffff);

	return c && c->kind == NVCF_MIGRATABLE ? c : NULL;
}

/* ---- suspend and resume ---- */

/*
 * What was fetched has been completed, or never will be: the controller is shut down, has
 * died, or cannot reach memory.
 */
static bool is_quiet(const struct nvcf_ctrl *c)
{
	return TAILQ_EMPTY(&c->active) || !nvcf_ctrl_working(c) || !vu_bus_master(c->dev);
}

/* Commands that nobody will hear of.  A user who still waits for them has to be told. */
static void drop_commands(struct nvcf_ctrl *c)
{
	if (!TAILQ_EMPTY(&c->active) && nvcf_ctrl_working(c))
		nvcf_fatal(c);
	for (; !TAILQ_EMPTY(&c->active); c->dropped++)
		nvcf_cmd_free(c, TAILQ_FIRST(&c->active));
}

/* Everything that was written is in the files before the locks on them are given up. */
void nvcf_suspend_work(struct nvcf_ctrl *c)
{
	if (c->run != NVCF_SUSPENDING || !is_quiet(c))
		return;
	if (nvcf_release_all(c)) {
		c->suspend_failed = true;
		c->run = NVCF_RUNNING;
		vu_kick(c->dev);
		return;
	}
	drop_commands(c);
	c->run = NVCF_SUSPENDED;
	c->suspended_at = vu_now();
	c->suspensions++;
	vu_irq_hold(c->dev, true);
	nvcf_intx_update(c);
}

/* The command is complete when the controller is suspended.  A notification is nothing here. */
int nvcf_suspend(struct nvcf_ctrl *m, struct nvcf_cmd *cmd)
{
	uint32_t cdw11 = le32toh(cmd->sqe.cdw11), type = cdw11 >> 16 & 0xff;
	struct nvcf_ctrl *c = nvcf_target(m, cmd);

	if (!c)
		return BAD_CNTLID;
	if (type > NVS_SUSPEND)
		return BAD_FIELD;
	if (type == NVS_SUSPEND_NOTIFY || c->run == NVCF_SUSPENDED)
		return 0;
	/* All that have waited for a suspension that failed are told, and a new one tries again. */
	if (cmd->waits && c->suspend_failed)
		return NVS_SC_INTERNAL;
	cmd->waits = true;
	if (c->run == NVCF_RUNNING) {
		c->run = NVCF_SUSPENDING;
		c->suspend_failed = false;
		vu_kick(c->dev);
	}
	return -EAGAIN;
}

/* A command that waits for the suspension of @c. */
static bool waits_for(const struct nvcf_ctrl *m, const struct nvcf_cmd *cmd,
		      const struct nvcf_ctrl *c)
{
	return cmd->waits && !cmd->done && nvcf_target(m, cmd) == c;
}

void nvcf_suspend_abandoned(struct nvcf_ctrl *m, struct nvcf_ctrl *c)
{
	struct nvcf_cmd *one;

	if (c->run != NVCF_SUSPENDING)
		return;
	TAILQ_FOREACH(one, &m->active, link)
		if (waits_for(m, one, c))
			return;
	c->run = NVCF_RUNNING;
	vu_kick(c->dev);
}

/* Of each queue with completions that nobody may have been told of. */
static void tell_again(struct nvcf_ctrl *c)
{
	for (unsigned int i = 0; i < NVCF_QUEUES; i++)
		if (c->cq[i].live && c->cq[i].ien && c->cq[i].head != c->cq[i].tail)
			c->vector[c->cq[i].vector].raise = true;
}

static void set_running(struct nvcf_ctrl *c)
{
	nvcf_blob_drop(&c->get);
	nvcf_blob_drop(&c->set);
	c->run = NVCF_RUNNING;
	c->suspend_failed = false;
	tell_again(c);
	vu_irq_hold(c->dev, false);
	nvcf_intx_update(c);
	vu_kick(c->dev);
}

/* A controller whose user may send commands needs its disks; all or none. */
static bool hold_disks(struct nvcf_ctrl *c)
{
	struct nvcf_disk *taken[NVCF_MAX_NS];
	unsigned int num = 0;

	for (unsigned int i = 0; i < NVCF_MAX_NS && nvcf_ctrl_working(c); i++) {
		const struct nvcf_profile_ns *ns = &c->profile.ns[i];
		struct nvcf_disk *d = ns->nsid ? nvcf_ns_disk(c, ns) : NULL;

		if (!d || nvcf_disk_held(d, c->index))
			continue;
		if (!nvcf_disk_hold(d, c->index)) {
			while (num)
				nvcf_disk_release(taken[--num], c->index);
			return false;
		}
		taken[num++] = d;
	}
	return true;
}

/* Commands that wait for the suspension of @c, which does not come any more. */
static int call_off(struct nvcf_ctrl *m, const struct nvcf_ctrl *c)
{
	struct nvcf_cmd *one, *next;

	for (one = TAILQ_FIRST(&m->active); one; one = next) {
		int err = 0;

		next = TAILQ_NEXT(one, link);
		if (waits_for(m, one, c))
			err = nvcf_finish(m, one, NVS_SC_ABORT_REQUESTED);
		if (err)
			return err;
	}
	return 0;
}

int nvcf_resume(struct nvcf_ctrl *m, struct nvcf_cmd *cmd)
{
	struct nvcf_ctrl *c = nvcf_target(m, cmd);
	int err;

	if (!c)
		return BAD_CNTLID;
	if (c->run == NVCF_RUNNING)
		return NVS_SC_NOT_SUSPENDED | NVS_SC_DNR;
	if (c->set.sequence)
		return BAD_SEQUENCE;
	/* One that was not suspended yet still has those that it uses. */
	if (c->run == NVCF_SUSPENDED && !hold_disks(c))
		return NVS_SC_NAMESPACE_NOT_READY;
	err = c->run == NVCF_SUSPENDING ? call_off(m, c) : 0;
	if (!err)
		set_running(c);
	return err;
}

void nvcf_managing_reset(struct nvcf *sub)
{
	for (unsigned int i = 1; i < sub->num_ctrls; i++) {
		struct nvcf_ctrl *c = sub->ctrl[i];

		nvcf_track_drop(c);
		if (c->run != NVCF_RUNNING)
			set_running(c);
	}
}

/* ---- profiles ---- */

/* An identity does not change under a user. */
static bool may_change(const struct nvcf_ctrl *c, uint32_t sel)
{
	return !(c->cc & NVS_CC_EN) && c->run == NVCF_RUNNING &&
	       c->provisioned == (sel == NVCF_PROFILE_REMOVE);
}

int nvcf_profile_send(struct nvcf_ctrl *m, struct nvcf_cmd *cmd)
{
	uint32_t sel = le32toh(cmd->sqe.cdw10) & 0xff;
	struct nvcf_ctrl *c = nvcf_target(m, cmd);
	struct nvcf_profile *p = (struct nvcf_profile *)m->buf;
	int st;

	if (!c)
		return BAD_CNTLID;
	if (sel > NVCF_PROFILE_REMOVE)
		return BAD_FIELD;
	if (!may_change(c, sel))
		return BAD_SEQUENCE;
	if (sel == NVCF_PROFILE_REMOVE) {
		memset(&c->profile, 0, sizeof(c->profile));
	} else {
		st = nvcf_data(m, &cmd->sqe, false, sizeof(*p));
		if (st)
			return st;
		if (!nvcf_profile_ok(m->sub, p))
			return BAD_FIELD;
		/* Its user may have enabled it while the data came. */
		if (!may_change(c, sel))
			return BAD_SEQUENCE;
		c->profile = *p;
		memset(c->profile.disks, 0, sizeof(c->profile.disks));
	}
	c->provisioned = sel == NVCF_PROFILE_GIVE;
	nvcf_feature_reset(c);
	return 0;
}

int nvcf_profile_receive(struct nvcf_ctrl *m, struct nvcf_cmd *cmd)
{
	const struct nvcf_ctrl *c = nvcf_target(m, cmd);

	if (!c)
		return BAD_CNTLID;
	nvcf_profile_show(c, (struct nvcf_profile *)m->buf);
	cmd->dw0 = c->provisioned ? NVCF_PROFILE_GIVEN : 0;
	return nvcf_data(m, &cmd->sqe, true, sizeof(c->profile));
}
