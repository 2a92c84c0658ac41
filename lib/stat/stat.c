/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "base_bytes.h"
#include "stat.h"

void stat_group_init(struct stat_group *group, const char *module, const struct stat_row *rows,
	uint32_t count, uint64_t *values)
{
	list_init(&group->link);
	group->module = module;
	group->rows = rows;
	group->count = count;
	group->values = values;
	for (uint32_t i = 0; i < count; i++) {
		ASSERT(rows[i].symbol != NULL);
		values[i] = 0;
	}
}

char *stat_row_name(const struct stat_row *row, char *buf)
{
	size_t len = strlen(row->symbol);

	ASSERT(len < STAT_NAME_SIZE);
	for (size_t i = 0; i <= len; i++)
		buf[i] = byte_lower(row->symbol[i]);
	return buf;
}

struct stat_group *stat_group_find(const struct list *groups, const char *module)
{
	list_for_each (link, groups) {
		struct stat_group *group = list_entry(link, struct stat_group, link);

		if (strcmp(group->module, module) == 0)
			return group;
	}
	return NULL;
}

uint64_t stat_sum(
	const struct list *const *groups, uint32_t cores, const char *module, uint32_t index)
{
	uint64_t sum = 0;

	for (uint32_t core = 0; core < cores; core++) {
		const struct stat_group *group = stat_group_find(groups[core], module);

		if (group && index < group->count)
			sum += stat_read(&group->values[index]);
	}
	return sum;
}
