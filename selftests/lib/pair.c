// SPDX-License-Identifier: GPL-2.0
/* Two functions of a family and a guest that is on one of them: see pair.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pair.h"

/* Row of the table of v1 for a state of v2; the other way, NDMA is masked where it is not known. */
static const uint32_t words[MIG_STATES] = {
	[VFIO_DEVICE_STATE_ERROR] = V1_S | V1_L,
	[VFIO_DEVICE_STATE_STOP] = 0,
	[VFIO_DEVICE_STATE_RUNNING] = V1_R,
	[VFIO_DEVICE_STATE_STOP_COPY] = V1_S,
	[VFIO_DEVICE_STATE_RESUMING] = V1_L,
	[VFIO_DEVICE_STATE_RUNNING_P2P] = V1_R | V1_N,
	[VFIO_DEVICE_STATE_PRE_COPY] = V1_R | V1_S,
	[VFIO_DEVICE_STATE_PRE_COPY_P2P] = V1_R | V1_S | V1_N,
};

/* The next thing to do, unless something has failed already. */
#define TRY(p, err, what) ((err) ? (err) : ((p)->at = #what, (what)))

int pair_init(struct pair *p, const struct family *f)
{
	struct slot slots[2];
	int num, err = 0;

	memset(p, 0, sizeof(*p));
	p->family = f;
	num = family_bind(f, slots, 2);
	if (num < 2)
		return num < 0 ? num : TOO_FEW;
	for (unsigned int i = 0; i < 2; i++) {
		p->side[i].slot = slots[i];
		p->side[i].v = (struct vdev){ .fd = -1, .group = -1, .iommu = -1 };
		err = err ? err : model_open(&p->side[i].m, &slots[i]);
	}
	return err ? err : guest_init(&p->g, f);
}

void pair_exit(struct pair *p)
{
	guest_free(&p->g);
	for (unsigned int i = 0; i < 2; i++) {
		side_close(p, i);
		v1_dialect(p->side[i].slot.bdf, "v2");
		model_close(&p->side[i].m);
	}
}

int side_open(struct pair *p, unsigned int which, enum vdev_mode mode, bool v1)
{
	struct side *s = &p->side[which];
	int err = TRY(p, 0, v1_dialect(s->slot.bdf, v1 ? "v1" : "v2"));

	s->v1 = v1;
	err = TRY(p, err, vdev_open(&s->v, &s->slot, mode));
	err = TRY(p, err, guest_share(&p->g, &s->v));
	return v1 ? TRY(p, err, v1_find(&s->region, &s->v)) : err;
}

void side_close(struct pair *p, unsigned int which)
{
	struct side *s = &p->side[which];

	if (p->g.v == &s->v)
		guest_off(&p->g);
	v1_unmap(&s->region);
	vdev_close(&s->v);
}

int side_set(struct side *s, unsigned int state)
{
	int fd = -1, err;

	if (s->v1)
		return v1_set(&s->region, state < MIG_STATES ? words[state] : ~0U);
	err = mig_set(&s->v, state, &fd);
	if (fd >= 0)
		close(fd);
	return err;
}

int side_get(struct side *s)
{
	uint32_t word;
	int err;

	if (!s->v1)
		return mig_get(&s->v);
	err = v1_get(&s->region, &word);
	for (unsigned int i = 0; i < MIG_STATES && !err; i++)
		if (words[i] == word || (!word && i == VFIO_DEVICE_STATE_STOP))
			return i;
	return err ? err : -EPROTO;
}

int side_save(struct side *s, struct blob *b, bool precopy)
{
	return s->v1 ? v1_save(&s->region, b, precopy) : mig_save(&s->v, b, precopy);
}

int side_load(struct side *s, const struct blob *b, unsigned int end)
{
	return s->v1 ? v1_load(&s->region, b, words[end]) : mig_load(&s->v, b, end);
}

int pair_restart(struct pair *p)
{
	int err = 0;

	for (unsigned int i = 0; i < 2 && !err; i++) {
		err = p->mute ? 0 : TRY(p, 0, model_cmd(&p->side[i].m, "fault clear"));
		err = TRY(p, err, vdev_reset(&p->side[i].v));
		if (!err && TRY(p, 0, side_get(&p->side[i])) != VFIO_DEVICE_STATE_RUNNING)
			err = -EPROTO;
	}
	/* Before what it remembers, a mapping perhaps, is forgotten. */
	guest_off(&p->g);
	memset(p->g.own, 0, p->family->own_bytes);
	return TRY(p, err, guest_boot(&p->g, &p->side[p->on].v));
}

int pair_work(struct pair *p)
{
	return TRY(p, 0, guest_work(&p->g, ++p->tag));
}

int pair_move(struct pair *p, bool precopy)
{
	struct side *from = &p->side[p->on], *to = &p->side[!p->on];
	struct blob b = {};
	int err;

	err = TRY(p, 0, guest_start(&p->g, ++p->tag));
	err = TRY(p, err, side_save(from, &b, precopy));
	err = TRY(p, err, side_load(to, &b, VFIO_DEVICE_STATE_STOP));
	err = TRY(p, err, guest_on(&p->g, &to->v));
	err = TRY(p, err, side_set(to, VFIO_DEVICE_STATE_RUNNING));
	err = TRY(p, err, guest_check(&p->g, p->tag));
	blob_free(&b);
	if (err)
		return err;
	p->on = !p->on;
	return TRY(p, 0, vdev_reset(&from->v));
}
