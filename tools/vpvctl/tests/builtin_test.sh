# SPDX-License-Identifier: GPL-2.0
# Personas that drivers bring along are those of the maps.
# shellcheck disable=SC2154	# here and T are run.sh's
top=$here/../../..
while read -r map array header; do
	"$here/../builtin.sh" "$VPVCTL" "$here/../maps/$map.map" "$array" >"$T/header" 2>"$T/err"
	holds "$map is what $header has" cmp "$T/header" "$top/$header"
done <<'BUILTIN'
hisi_like-v1 hisil_persona_v1 variants/hisi_like/persona_v1.h
mlx5_like-v1 mlxl_persona_v1 variants/mlx5_like/persona_v1.h
coherent_gpu-256m-v1 cgpu_persona_256m variants/coherent_gpu/persona_256m_v1.h
nvme_cf-v1 nvcf_persona_v1 variants/nvme_cf/persona_v1.h
BUILTIN
