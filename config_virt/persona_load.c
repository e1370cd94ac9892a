// SPDX-License-Identifier: GPL-2.0
/*
 * Personas in the kernel: memory, references and the digest around the pure
 * validation, and its refusals in words.
 */
#include <crypto/sha2.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/kref.h>
#include <linux/slab.h>

#include "persona.h"
#include "persona_load.h"
#include "vcfg.h"

static_assert(VPV_PERSONA_DIGEST_BYTES == SHA256_DIGEST_SIZE);

struct loaded {
	struct kref ref;
	u8 digest[VPV_PERSONA_DIGEST_BYTES];
	struct vcfg_persona p;
	u8 blob[];
};

static struct loaded *loaded_of(const struct vcfg_persona *p)
{
	return container_of((struct vcfg_persona *)p, struct loaded, p);
}

/* Index of a record that means more than a number. */
void vcfg_persona_explain(const struct vcfg_persona_why *why, char text[VCFG_WHY_BYTES])
{
	static const char * const parts[] = {
		[VCFG_PERSONA_BLOB] = "",
		[VCFG_PERSONA_BAR] = "BAR",
		[VCFG_PERSONA_CAP] = "capability",
		[VCFG_PERSONA_FIELD] = "field",
		[VCFG_PERSONA_NAME] = "callback",
	};
	size_t n = 0;

	if (why->part != VCFG_PERSONA_BLOB)
		n = scnprintf(text, VCFG_WHY_BYTES, "%s %u: ", parts[why->part],
			      why->index);
	scnprintf(text + n, VCFG_WHY_BYTES - n, "%s (expected %#llx, found %#llx)", why->text,
		  why->want, why->got);
}

struct vcfg_persona *vcfg_persona_load(const void *blob, size_t bytes,
				       char why[VCFG_WHY_BYTES])
{
	struct vcfg_persona_why refusal;
	struct loaded *l;
	int err;

	why[0] = 0;
	if (bytes > VPV_PERSONA_MAX_BYTES) {
		scnprintf(why, VCFG_WHY_BYTES, "%zu bytes are not a persona", bytes);
		return ERR_PTR(-EMSGSIZE);
	}
	l = kvzalloc(struct_size(l, blob, bytes), GFP_KERNEL_ACCOUNT);
	if (!l) {
		scnprintf(why, VCFG_WHY_BYTES, "no memory");
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&l->ref);
	memcpy(l->blob, blob, bytes);
	err = vcfg_persona_parse(&l->p, l->blob, bytes, &refusal);
	if (err) {
		vcfg_persona_explain(&refusal, why);
		kvfree(l);
		return ERR_PTR(err);
	}
	sha256(l->blob, bytes, l->digest);
	return &l->p;
}
EXPORT_SYMBOL_GPL(vcfg_persona_load);

struct vcfg_persona *vcfg_persona_get(struct vcfg_persona *p)
{
	kref_get(&loaded_of(p)->ref);
	return p;
}
EXPORT_SYMBOL_GPL(vcfg_persona_get);

static void loaded_free(struct kref *ref)
{
	kvfree(container_of(ref, struct loaded, ref));
}

void vcfg_persona_put(struct vcfg_persona *p)
{
	if (p)
		kref_put(&loaded_of(p)->ref, loaded_free);
}
EXPORT_SYMBOL_GPL(vcfg_persona_put);

void vcfg_persona_facts(const struct vcfg_persona *p, struct vcfg_persona_facts *facts)
{
	*facts = (struct vcfg_persona_facts){
		.name = p->name,
		.version = p->version,
		.digest = loaded_of(p)->digest,
		.rom_bytes = vcfg_persona_bar(p, VPV_PERSONA_ROM).bytes,
	};
	for (unsigned int i = 0; i < VCFG_BARS; i++)
		facts->bar_bytes[i] = vcfg_persona_bar(p, i).bytes;
}
EXPORT_SYMBOL_GPL(vcfg_persona_facts);

int vcfg_persona_check(const struct vcfg_desc *desc, const struct vcfg_host_ops *ops,
		       void *host, char why[VCFG_WHY_BYTES])
{
	struct vcfg_fitting *fit;
	int err;

	why[0] = 0;
	fit = kvzalloc_obj(*fit, GFP_KERNEL_ACCOUNT);
	if (!fit)
		return -ENOMEM;
	err = vcfg_persona_probe(desc, ops, host, fit);
	if (err)
		vcfg_persona_explain(&fit->why, why);
	kvfree(fit);
	return err;
}
EXPORT_SYMBOL_GPL(vcfg_persona_check);
