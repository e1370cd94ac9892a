// SPDX-License-Identifier: GPL-2.0
/*
 * "vpvctl persona diff": what two personas say differently, statement by
 * statement, and the first byte that a user would see differently.
 */
#include <stdlib.h>

#include "persona_map.h"
#include "vpvctl.h"

/* A statement, and where it belongs in the order of statements. */
struct item {
	u64 key;
	char *text;
};

struct items {
	struct item item[2 + VPV_PERSONA_BARS + 1 + 2 + VPV_PERSONA_MAX_CAPS +
			 VPV_PERSONA_MAX_FIELDS];
	unsigned int num;
};

enum item_kind { ITEM_NAME, ITEM_CONFIG, ITEM_BAR, ITEM_CHAIN, ITEM_CAP, ITEM_FIELD };

static void item_add(struct items *items, enum item_kind kind, u64 index, char *text)
{
	size_t len = strlen(text);

	while (len && text[len - 1] == '\n')
		text[--len] = 0;
	if (!len) {
		free(text);
		return;
	}
	items->item[items->num++] = (struct item){ (u64)kind << 32 | index, text };
}

/* What a printer of statements prints. */
static char *printed(const struct vcfg_persona *p, unsigned int i,
		     void (*print)(const struct vcfg_persona *p, unsigned int i, FILE *to))
{
	char *text = NULL;
	size_t bytes;
	FILE *to = open_memstream(&text, &bytes);

	if (to) {
		print(p, i, to);
		fclose(to);
	}
	return text ? text : xformat("%s", "");
}

/* Fields of capabilities with their place in config space. */
static char *field_text(const struct vcfg_persona *p, unsigned int i)
{
	struct vcfg_persona_field f = vcfg_persona_field(p, i);
	char *text = printed(p, i, map_print_field), *full;

	if (*text != '+')
		return text;
	full = xformat("field 0x%02x%s", f.pos, strchr(text, ':'));
	free(text);
	return full;
}

static char *chain_text(const struct vcfg_persona *p, bool ext)
{
	char *text = xformat("%s", ext ? "extended chain" : "chain");

	for (unsigned int i = 0; i < p->num_caps; i++) {
		struct vcfg_persona_cap cap = vcfg_persona_cap(p, i);
		char *longer;

		if (cap.ext != ext)
			continue;
		longer = xformat("%s 0x%02x", text, cap.pos);
		free(text);
		text = longer;
	}
	return text;
}

static int item_order(const void *va, const void *vb)
{
	const struct item *a = va, *b = vb;

	return a->key < b->key ? -1 : a->key > b->key;
}

static struct items *items_of(const struct vcfg_persona *p)
{
	struct items *items = xalloc(sizeof(*items));

	item_add(items, ITEM_NAME, 0, xformat("persona %s version %u", p->name, p->version));
	item_add(items, ITEM_CONFIG, 0, xformat("config %u", p->config_bytes));
	for (unsigned int i = 0; i <= VPV_PERSONA_ROM; i++)
		item_add(items, ITEM_BAR, i, printed(p, i, map_print_bar));
	for (unsigned int ext = 0; ext < 2; ext++)
		item_add(items, ITEM_CHAIN, ext, chain_text(p, ext));
	for (unsigned int i = 0; i < p->num_caps; i++)
		item_add(items, ITEM_CAP, vcfg_persona_cap(p, i).pos,
			 printed(p, i, map_print_cap));
	for (unsigned int i = 0; i < p->num_fields; i++) {
		struct vcfg_persona_field f = vcfg_persona_field(p, i);

		item_add(items, ITEM_FIELD, vcfg_persona_first_bit(&f), field_text(p, i));
	}
	qsort(items->item, items->num, sizeof(items->item[0]), item_order);
	return items;
}

static void items_free(struct items *items)
{
	for (unsigned int i = 0; i < items->num; i++)
		free(items->item[i].text);
	free(items);
}

static void report(struct json_object *list, const char *a, const char *b)
{
	struct json_object *obj;

	if (!vpvctl.json) {
		if (a)
			paint(PAINT_BAD, "- %s\n", a);
		if (b)
			paint(PAINT_GOOD, "+ %s\n", b);
		return;
	}
	obj = json_object_new_object();
	put_text_or_null(obj, "a", a ? a : "");
	put_text_or_null(obj, "b", b ? b : "");
	json_object_array_add(list, obj);
}

/* Both lists are in order: merge them.  Returns the number of differences. */
static unsigned int compare(const struct items *a, const struct items *b,
			    struct json_object *list)
{
	unsigned int i = 0, k = 0, found = 0;

	while (i < a->num || k < b->num) {
		const struct item *x = i < a->num ? &a->item[i] : NULL;
		const struct item *y = k < b->num ? &b->item[k] : NULL;

		if (x && y && x->key != y->key) {
			if (x->key < y->key)
				y = NULL;
			else
				x = NULL;
		}
		i += !!x;
		k += !!y;
		if (x && y && !strcmp(x->text, y->text))
			continue;
		found++;
		report(list, x ? x->text : NULL, y ? y->text : NULL);
	}
	return found;
}

/*
 * The first byte of which one of them decides a bit that the other one does not, or
 * decides differently; VCFG_MAX_BYTES if there is none.
 */
static unsigned int first_byte(const struct vcfg_persona *a, const struct vcfg_persona *b)
{
	unsigned int pos = 0;

	while (pos < VCFG_MAX_BYTES && a->known[pos] == b->known[pos] &&
	       !((a->val[pos] ^ b->val[pos]) & a->known[pos]))
		pos++;
	return pos;
}

int persona_diff(const struct persona *a, const struct persona *b)
{
	struct json_object *list = json_object_new_array(), *obj;
	struct items *in_a = items_of(&a->p), *in_b = items_of(&b->p);
	unsigned int found = compare(in_a, in_b, list);
	unsigned int pos = first_byte(&a->p, &b->p);

	items_free(in_a);
	items_free(in_b);
	if (vpvctl.json) {
		obj = json_object_new_object();
		put_flag(obj, "same", !found);
		json_object_object_add(obj, "differences", list);
		if (pos < VCFG_MAX_BYTES)
			put_number(obj, "first_byte", pos);
		else
			json_object_object_add(obj, "first_byte", NULL);
		print_json(obj, false);
		return found ? 1 : 0;
	}
	json_object_put(list);
	if (pos < VCFG_MAX_BYTES)
		printf("first byte that a user sees differently: 0x%03x (0x%02x, 0x%02x)\n",
		       pos, a->p.val[pos], b->p.val[pos]);
	return found ? 1 : 0;
}
