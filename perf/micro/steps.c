/* SPDX-License-Identifier: BSD-3-Clause */
/* Steps that stand alone. */
#include <stdio.h>
#include <stdlib.h>

#include "h1_parse.h"
#include "lb.h"
#include "micro.h"

#define ROUNDS     31
#define ROUND_OPS  1000u
#define SERVERS    8
#define TIMERS_MAX 1000000u
#define LINE_BYTES 160
#define SPAN_NS    (60 * NS_PER_SEC) /* of timeouts */

static uint32_t rounds(void)
{
	return meter_is_callgrind() ? 1 : ROUNDS;
}

/* --- timers ----------------------------------------------------------------------------- */

static void on_timer(struct timer *t, uint64_t now_ns)
{
	(void)t;
	(void)now_ns;
}

/* A timer of many is taken off and set anew. */
static void measure_timers(void)
{
	struct timer *timers = calloc(TIMERS_MAX, sizeof(*timers));
	struct timer_wheel *wheel = malloc(sizeof(*wheel));
	struct rand r;
	uint32_t set = 0;

	if (!timers || !wheel)
		micro_fail("no memory for timers");
	rand_init(&r, 1);
	timer_wheel_init(wheel, NS_PER_SEC);
	for (uint32_t count = 1000; count <= TIMERS_MAX; count *= 10) {
		struct meter m = {0};
		char name[64];

		for (; set < count; set++) {
			timer_init(&timers[set], on_timer);
			timer_set(wheel, &timers[set], NS_PER_SEC + 1 + rand_below(&r, UINT32_MAX));
		}
		for (uint32_t k = 0; k < rounds(); k++) {
			meter_begin(&m);
			for (uint32_t i = 0; i < ROUND_OPS; i++) {
				struct timer *t = &timers[rand_below(&r, count)];

				timer_cancel(wheel, t);
				timer_set(wheel, t, NS_PER_SEC + SPAN_NS + i);
			}
			meter_end(&m, ROUND_OPS);
			meter_round(&m);
		}
		snprintf(name, sizeof(name), "timer off and set, %u set", count);
		meter_report(&m, name);
	}
	free(timers);
	free(wheel);
}

/* --- heads -------------------------------------------------------------------------------- */

static const char request_text[] =
	"GET /index.html?id=4711 HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Mozilla/5.0 "
	"(X11; "
	"Linux x86_64)\r\nAccept: text/html,application/xhtml+xml,*/*;q=0.8\r\nAccept-Language: "
	"en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\nCookie: "
	"session=0123456789abcdef\r\n\r\n";
static const char response_text[] =
	"HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\nContent-Type: "
	"text/html; charset=utf-8\r\nCache-Control: no-store\r\nContent-Length: 128\r\n\r\n";

static void measure_head(
	struct http_heads *heads, uint8_t kind, struct bytes text, const char *name)
{
	struct meter m = {0};

	for (uint32_t k = 0; k < rounds(); k++) {
		meter_begin(&m);
		for (uint32_t i = 0; i < ROUND_OPS; i++) {
			struct h1_parser parser = {.kind = kind};
			struct http_head *head = http_head_get(heads);

			if (h1_parse_head(&parser, head, text) != H1_DONE)
				micro_fail("a head is not understood");
			http_head_free(head);
		}
		meter_end(&m, ROUND_OPS);
		meter_round(&m);
	}
	meter_report(&m, name);
}

static void measure_heads(void)
{
	struct http_heads_config config = {.heads_max = 4};
	struct http_heads heads;

	if (http_heads_init(&heads, &config, NULL) != 0)
		micro_fail("no memory for heads");
	measure_head(&heads, H1_KIND_REQUEST, bytes_of(request_text, sizeof(request_text) - 1),
		"H1 request head, 6 fields");
	measure_head(&heads, H1_KIND_RESPONSE, bytes_of(response_text, sizeof(response_text) - 1),
		"H1 response head, 5 fields");
	http_heads_fini(&heads);
}

/* --- balancing ---------------------------------------------------------------------------- */

static void measure_lb(const struct lb_ops *ops, const char *name)
{
	struct ip_addr source = peer_client(4711).addr;
	struct lb_query query = {.source = &source, .avoid = LB_NONE};
	struct lb_server servers[SERVERS];
	struct meter m = {0};
	struct lb *lb;

	for (uint32_t i = 0; i < SERVERS; i++)
		servers[i] = (struct lb_server){.id = i + 1, .weight = 1, .up = true};
	lb = lb_create(
		&(struct lb_config){.ops = ops, .server_count = SERVERS, .servers = servers}, NULL);
	if (!lb)
		micro_fail("no balancer");
	for (uint32_t k = 0; k < rounds(); k++) {
		meter_begin(&m);
		for (uint32_t i = 0; i < ROUND_OPS; i++) {
			uint32_t server;

			query.turn++;
			server = lb_pick(lb, &query);
			lb_take(lb, server);
			lb_drop(lb, server);
		}
		meter_end(&m, ROUND_OPS);
		meter_round(&m);
	}
	meter_report(&m, name);
	lb_destroy(lb);
}

/* --- log ------------------------------------------------------------------------------------ */

static void forget_line(void *ctx, const struct log_line *line)
{
	(void)ctx;
	(void)line;
}

static void measure_log(void)
{
	static const char text[LINE_BYTES];
	struct log_ring *ring = log_ring_create(1u << 20, NULL);
	struct meter m = {0};

	if (!ring)
		micro_fail("no ring for the log");
	for (uint32_t k = 0; k < rounds(); k++) {
		meter_begin(&m);
		for (uint32_t i = 0; i < ROUND_OPS; i++)
			log_write(ring, i, 1, LOG_LEVEL_INFO, bytes_of(text, sizeof(text)));
		meter_end(&m, ROUND_OPS);
		meter_round(&m);
		log_drain(ring, ROUND_OPS, forget_line, NULL);
	}
	if (log_dropped(ring) > 0)
		micro_fail("the ring of the log was full");
	meter_report(&m, "log line of 160 bytes");
	log_ring_destroy(ring);
}

void micro_steps(void)
{
	measure_timers();
	measure_heads();
	measure_lb(&lb_roundrobin, "balance roundrobin, 8 servers");
	measure_lb(&lb_leastconn, "balance leastconn, 8 servers");
	measure_lb(&lb_source_map, "balance source, 8 servers");
	measure_log();
}
