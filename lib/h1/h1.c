/* SPDX-License-Identifier: BSD-3-Clause */
#include "h1_pvt.h"

static const struct {
	uint16_t status;
	const char *text;
} faults[H1_FAULT_COUNT] = {
	[H1_FAULT_NONE] = {0, "no fault"},
#define FAULT(sym, status, text) [H1_FAULT_##sym] = {status, text},
#include "h1_fault.def"
#undef FAULT
};

const char *h1_fault_text(enum h1_fault fault)
{
	return faults[fault].text;
}

uint16_t h1_fault_status(enum h1_fault fault)
{
	return faults[fault].status;
}

static const struct stat_row stat_rows[H1_STAT_COUNT] = {
#define FAULT(sym, status, text) [H1_FAULT_##sym - 1] = {"BAD_" #sym, text, STAT_DROP},
#include "h1_fault.def"
#undef FAULT
#define STAT(sym, kind, text) [H1_STAT_##sym] = {#sym, text, kind},
#include "h1_stat.def"
#undef STAT
};

int h1_init(struct h1 *h1, struct worker *worker, struct http_heads *heads, struct pkt_pools *pkts,
	const struct h1_config *config, struct error *err)
{
	uint32_t xchgs_max = config->xchgs_max ? config->xchgs_max : config->conns_max;
	int rc;

	*h1 = (struct h1){.heads = heads, .pkts = pkts};
	list_init(&h1->ready);
	stat_group_init(&h1->group, "h1", stat_rows, H1_STAT_COUNT, h1->stats);
	rc = mem_pool_init(
		&h1->conns, "h1 connections", sizeof(struct h1_conn), 8, config->conns_max, err);
	if (rc == 0)
		rc = mem_pool_init(
			&h1->xchgs, "h1 exchanges", sizeof(struct h1_xchg), 8, xchgs_max, err);
	if (rc == 0 && worker != NULL)
		rc = worker_poller_add(worker, WORKER_PHASE_READY, "h1", h1_poll, h1, UINT32_MAX);
	if (rc != 0) {
		h1_fini(h1);
		return rc;
	}
	if (worker != NULL) {
		worker_pool_add(worker, &h1->conns);
		worker_pool_add(worker, &h1->xchgs);
		worker_group_add(worker, &h1->group);
	}
	return 0;
}

uint32_t h1_fini(struct h1 *h1)
{
	uint32_t leaked;

	if (h1 == NULL)
		return 0;
	list_del(&h1->group.link);
	leaked = mem_pool_fini(&h1->conns);
	return leaked + mem_pool_fini(&h1->xchgs);
}

uint32_t h1_poll(struct worker *w, void *ctx, uint32_t budget)
{
	struct h1 *h1 = ctx;
	struct list batch;
	uint32_t n = 0;

	/* What is scheduled meanwhile waits for the next turn. */
	(void)w;
	list_init(&batch);
	list_splice_tail(&batch, &h1->ready);
	for (; n < budget && !list_is_empty(&batch); n++)
		h1_conn_run(list_entry(list_pop_head(&batch), struct h1_conn, ready));
	list_splice_tail(&batch, &h1->ready);
	list_splice_tail(&h1->ready, &batch);
	return n;
}

struct http_head *h1_response_from_text(
	struct http_heads *heads, struct bytes text, size_t *head_bytes, enum h1_fault *fault)
{
	struct h1_parser p = {.kind = H1_KIND_RESPONSE, .lf_ends_line = true};
	struct http_head *head = http_head_get(heads);
	enum h1_verdict v;

	*fault = H1_FAULT_NONE;
	if (head == NULL)
		return NULL;
	v = h1_parse_head(&p, head, text);
	if (v == H1_DONE) {
		*head_bytes = p.line;
		head->version_minor = 1;
		head->body = HTTP_BODY_LENGTH;
		head->content_length = text.len - p.line;
		return head;
	}
	*fault = v == H1_BAD ? p.fault : H1_FAULT_LINE_END;
	http_head_free(head);
	return NULL;
}
