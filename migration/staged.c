// SPDX-License-Identifier: GPL-2.0
/*
 * Load sessions: records that are kept until the stream is complete (vpv/staged.h).
 *
 * What is kept is changed under state_lock alone: by writers, at the end of RESUMING and
 * when the session ends.
 */
#include <linux/mm.h>

#include "session_priv.h"

/* Most records that a family may have kept. */
#define STAGED_MAX		4096U

#define FIELD_BYTES		64

static u32 staged_slots(const struct vmig_desc *desc)
{
	u32 num = 0;

	for (unsigned int i = 0; i < desc->num_staged; i++)
		num += desc->staged[i].most;
	return num;
}

static bool listed_before(const struct vmig_staged_record *table, unsigned int num)
{
	for (unsigned int i = 0; i < num; i++)
		if (table[i].type == table[num].type)
			return true;
	return false;
}

/**
 * vmig_staged_valid() - Is a table usable?
 * @desc: Constants of the family.
 */
bool vmig_staged_valid(const struct vmig_desc *desc)
{
	u32 left = STAGED_MAX;

	for (unsigned int i = 0; i < desc->num_staged; i++) {
		const struct vmig_staged_record *r = &desc->staged[i];

		if (!r->name || !r->commit || (r->most > 1 && !r->check) ||
		    r->type < VPV_RECORD_FAMILY || r->min_bytes > r->max_bytes ||
		    r->max_bytes > desc->max_payload || !r->most || r->most > left ||
		    listed_before(desc->staged, i))
			return false;
		left -= r->most;
	}
	return true;
}

/**
 * vmig_staged_begin() - Make room to keep records
 * @s: Load session.
 *
 * Return: 0 or -ENOMEM.
 */
int vmig_staged_begin(struct vmig_session *s)
{
	size_t bytes = staged_slots(s->m->mig->desc) * sizeof(*s->staged);

	if (!bytes)
		return 0;
	s->staged = vmig_alloc(s->m, bytes);
	if (!s->staged)
		return -ENOMEM;
	memset(s->staged, 0, bytes);
	s->staged_slots = bytes / sizeof(*s->staged);
	return 0;
}

/**
 * vmig_staged_free() - Free all that was kept
 * @s: Session, of either kind.
 */
void vmig_staged_free(struct vmig_session *s)
{
	for (u32 i = 0; i < s->staged_slots; i++)
		vmig_free(s->staged[i].data);
	vmig_free(s->staged);
	s->staged = NULL;
	s->staged_slots = 0;
}

/* Entry of the table, and where the records of its type are kept. */
static const struct vmig_staged_record *find(struct vmig_session *s, u32 type,
					     struct vmig_staged **slot)
{
	const struct vmig_desc *desc = s->m->mig->desc;

	*slot = s->staged;
	for (unsigned int i = 0; i < desc->num_staged; i++) {
		if (desc->staged[i].type == type)
			return &desc->staged[i];
		*slot += desc->staged[i].most;
	}
	return NULL;
}

/**
 * vmig_staged_knows() - Is a record to be kept?
 * @s: Load session that has not failed.
 * @type: Its type.
 */
bool vmig_staged_knows(struct vmig_session *s, u32 type)
{
	struct vmig_staged *slot;

	return find(s, type, &slot);
}

static int refuse(struct vmig_session *s, const struct vmig_staged_record *r, const char *what,
		  u64 want, u64 got)
{
	char field[FIELD_BYTES];

	scnprintf(field, sizeof(field), "%s %s", r->name, what);
	return vmig_refuse(s->m->mig, -EINVAL, VMIG_DIFF(field, want, got));
}

/* Is the content right?  Its index is below @r->most then. */
static int check(struct vmig_session *s, const struct vmig_staged_record *r,
		 const struct vmig_record *rec, u32 *index)
{
	struct vmig_dev *mig = s->m->mig;
	struct vmig_diff diff = {};
	int err = 0;

	if (rec->bytes < r->min_bytes)
		return refuse(s, r, "size", r->min_bytes, rec->bytes);
	if (rec->bytes > r->max_bytes)
		return refuse(s, r, "size", r->max_bytes, rec->bytes);
	if (r->check)
		err = r->check(mig, rec->data, rec->bytes, index, &diff);
	if (err)
		return diff.field ? vmig_refuse(mig, err, &diff) : err;
	if (*index >= r->most)
		return refuse(s, r, "index", r->most - 1, *index);
	return 0;
}

/**
 * vmig_staged_load() - Check a record and keep it
 * @s: Load session.
 * @rec: Record; vmig_staged_knows() its type.
 *
 * Return: 0 or a negative errno that refuses the stream.
 */
int vmig_staged_load(struct vmig_session *s, const struct vmig_record *rec)
{
	const struct vmig_staged_record *r;
	struct vmig_staged *slot;
	u32 index = 0;
	int err;

	lockdep_assert_held(&s->m->state_lock);

	r = find(s, rec->type, &slot);
	err = check(s, r, rec, &index);
	if (err)
		return err;
	slot += index;
	if (slot->data)
		return refuse(s, r, "records with the same index", 1, 2);
	slot->data = vmig_alloc(s->m, rec->bytes);
	if (!slot->data)
		return -ENOMEM;
	slot->bytes = rec->bytes;
	memcpy(slot->data, rec->data, rec->bytes);
	return 0;
}

static bool have_one(const struct vmig_staged_record *r, const struct vmig_staged *slot)
{
	for (u32 i = 0; i < r->most; i++) {
		if (slot[i].data)
			return true;
	}
	return false;
}

static int have_all(struct vmig_session *s)
{
	const struct vmig_desc *desc = s->m->mig->desc;
	const struct vmig_staged *slot = s->staged;

	for (unsigned int i = 0; i < desc->num_staged; i++) {
		const struct vmig_staged_record *r = &desc->staged[i];

		if (r->mandatory && !have_one(r, slot))
			return refuse(s, r, "records", 1, 0);
		slot += r->most;
	}
	return 0;
}

/**
 * vmig_staged_commit() - Give all that was kept to the device
 * @s: Load session; the stream was complete.
 *
 * Return: 0 or a negative errno.
 */
int vmig_staged_commit(struct vmig_session *s)
{
	const struct vmig_desc *desc = s->m->mig->desc;
	const struct vmig_staged *slot = s->staged;
	int err;

	lockdep_assert_held(&s->m->state_lock);

	err = have_all(s);
	for (unsigned int i = 0; i < desc->num_staged && !err; i++) {
		const struct vmig_staged_record *r = &desc->staged[i];

		for (u32 index = 0; index < r->most && !err; index++) {
			if (slot[index].data)
				err = r->commit(s->m->mig, index, slot[index].data,
						slot[index].bytes);
		}
		slot += r->most;
	}
	return err;
}
