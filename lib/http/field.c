/* SPDX-License-Identifier: BSD-3-Clause */
#include "http.h"

struct http_field *http_head_next(const struct http_head *head, const struct http_field *after)
{
	const struct http_field *end = head->fields + head->field_count;

	for (const struct http_field *f = after ? after + 1 : head->fields; f < end; f++)
		if (!f->removed)
			return (struct http_field *)f;
	return NULL;
}

struct http_field *http_head_find(
	const struct http_head *head, struct bytes name, const struct http_field *after)
{
	struct http_field *f = http_head_next(head, after);

	while (f != NULL && !bytes_eq_nocase(http_field_name(f), name))
		f = http_head_next(head, f);
	return f;
}

struct http_field *http_head_find_id(
	const struct http_head *head, enum http_field_id id, const struct http_field *after)
{
	struct http_field *f = http_head_next(head, after);

	while (f != NULL && f->id != id)
		f = http_head_next(head, f);
	return f;
}

static bool can_add(const struct http_head *head, struct bytes name, struct bytes value)
{
	return head->field_count < head->field_max && name.len <= UINT16_MAX &&
	       value.len <= UINT32_MAX;
}

bool http_head_add(struct http_head *head, struct bytes name, struct bytes value)
{
	if (!can_add(head, name, value))
		return false;
	head->fields[head->field_count++] = (struct http_field){
		.name_ptr = name.ptr,
		.value_ptr = value.ptr,
		.value_len = (uint32_t)value.len,
		.name_len = (uint16_t)name.len,
		.id = http_field_id_of(name),
	};
	return true;
}

uint32_t http_head_remove(struct http_head *head, struct bytes name)
{
	uint32_t count = 0;

	for (struct http_field *f = http_head_find(head, name, NULL); f != NULL;
		f = http_head_find(head, name, f)) {
		f->removed = true;
		count++;
	}
	return count;
}

bool http_head_set(struct http_head *head, struct bytes name, struct bytes value)
{
	if (!can_add(head, name, value))
		return false;
	http_head_remove(head, name);
	return http_head_add(head, name, value);
}
