/* SPDX-License-Identifier: BSD-3-Clause */
#include "http.h"

#include <errno.h>

static size_t head_bytes(const struct http_heads *heads)
{
	return sizeof(struct http_head) +
	       (heads->fields_max + HTTP_FIELDS_SPARE) * sizeof(struct http_field) +
	       heads->rewrite_bytes;
}

int http_heads_init(
	struct http_heads *heads, const struct http_heads_config *config, struct error *err)
{
	uint32_t buffers_max = config->buffers_max ? config->buffers_max : config->heads_max;
	uint32_t buffer_bytes =
		config->buffer_bytes ? config->buffer_bytes : HTTP_BUFFER_BYTES_DEFAULT;
	int rc;

	*heads = (struct http_heads){0};
	heads->fields_max = config->fields_max ? config->fields_max : HTTP_FIELDS_MAX_DEFAULT;
	heads->rewrite_bytes =
		config->rewrite_bytes ? config->rewrite_bytes : HTTP_REWRITE_BYTES_DEFAULT;
	if (heads->rewrite_bytes >= buffer_bytes)
		return error_set(err, -EINVAL,
			"a rewrite reserve of %u bytes leaves nothing of a buffer of %u",
			heads->rewrite_bytes, buffer_bytes);
	if (heads->fields_max > UINT16_MAX - HTTP_FIELDS_SPARE)
		return error_set(err, -EINVAL, "%u header fields are more than %u",
			heads->fields_max, UINT16_MAX - HTTP_FIELDS_SPARE);
	heads->head_bytes_max = buffer_bytes - heads->rewrite_bytes;
	rc = mem_pool_init(
		&heads->heads, "http heads", head_bytes(heads), 8, config->heads_max, err);
	if (rc == 0)
		rc = mem_pool_init(&heads->buffers, "http head buffers", heads->head_bytes_max, 8,
			buffers_max, err);
	if (rc != 0)
		http_heads_fini(heads);
	return rc;
}

uint32_t http_heads_fini(struct http_heads *heads)
{
	uint32_t leaked;

	if (heads == NULL)
		return 0;
	leaked = mem_pool_fini(&heads->heads);
	return leaked + mem_pool_fini(&heads->buffers);
}

struct http_head *http_head_get(struct http_heads *heads)
{
	struct http_head *head = mem_pool_get(&heads->heads);

	if (head == NULL)
		return NULL;
	*head = (struct http_head){
		.version_major = 1,
		.version_minor = 1,
		.field_max = (uint16_t)(heads->fields_max + HTTP_FIELDS_SPARE),
		.home = heads,
	};
	return head;
}

void http_head_free(struct http_head *head)
{
	if (head == NULL)
		return;
	pkt_chain_free(&head->packets);
	if (head->buffer != NULL)
		mem_pool_put(&head->home->buffers, head->buffer);
	mem_pool_put(&head->home->heads, head);
}

char *http_head_alloc(struct http_head *head, size_t len)
{
	char *arena = (char *)&head->fields[head->field_max];
	char *p = arena + head->arena_used_bytes;

	if (len > head->home->rewrite_bytes - head->arena_used_bytes)
		return NULL;
	head->arena_used_bytes += (uint32_t)len;
	return p;
}

struct bytes http_head_copy(struct http_head *head, struct bytes text)
{
	char *p = http_head_alloc(head, text.len);

	if (p == NULL)
		return BYTES_NONE;
	if (text.len > 0)
		memcpy(p, text.ptr, text.len);
	return bytes_of(p, text.len);
}
