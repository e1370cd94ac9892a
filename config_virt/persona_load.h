/* SPDX-License-Identifier: GPL-2.0 */
/* Inside vpv_config: refusals in words. */
#ifndef VCFG_PERSONA_LOAD_H
#define VCFG_PERSONA_LOAD_H

#include "persona.h"

void vcfg_persona_explain(const struct vcfg_persona_why *why, char text[VCFG_WHY_BYTES]);

#endif /* VCFG_PERSONA_LOAD_H */
