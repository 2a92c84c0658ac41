/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <stdlib.h>

#include "fake_worker.h"
#include "lease.h"

#define CORES_MAX   3
#define CLIENTS     40 /* per core */
#define MEMBERS_MAX 4

/* A connection that wants a token, holds it a while, and wants the next one. */
struct client {
	struct lease_waiter waiter;
	struct bench *bench;
	uint32_t core;
	bool holds;
	uint32_t member;
	uint32_t granted; /* tokens so far */
};

struct bench {
	struct fake_workers *f;
	struct lease_hub *hubs[CORES_MAX];
	uint32_t cores;
	uint32_t members;
	uint32_t limits[MEMBERS_MAX];
	uint32_t held[MEMBERS_MAX]; /* now, over all cores */
	struct client clients[CORES_MAX][CLIENTS];
};

static void note(struct client *c, uint32_t member)
{
	struct bench *b = c->bench;

	assert_false(c->holds);
	c->holds = true;
	c->member = member;
	c->granted++;
	b->held[member]++;
	assert_true(b->held[member] <= b->limits[member]);
}

static void on_granted(struct lease_waiter *w, uint32_t member)
{
	note(CONTAINER_OF(w, struct client, waiter), member);
}

static struct bench *start(uint32_t cores, uint32_t members, const uint32_t *limits)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct lease_group_config group = {members, limits};

	b->f = fake_workers_create(cores);
	b->cores = cores;
	b->members = members;
	memcpy(b->limits, limits, members * sizeof(*limits));
	for (uint32_t c = 0; c < cores; c++) {
		struct lease_hub_config config = {.worker = b->f->w[c],
			.worker_count = cores,
			.group_count = 1,
			.groups = &group};

		b->hubs[c] = lease_hub_create(&config, NULL);
		assert_non_null(b->hubs[c]);
		for (uint32_t i = 0; i < CLIENTS; i++) {
			struct client *cl = &b->clients[c][i];

			cl->bench = b;
			cl->core = c;
			lease_waiter_init(&cl->waiter, on_granted);
		}
	}
	for (uint32_t c = 0; c < cores; c++)
		lease_hub_connect(b->hubs[c], b->hubs);
	return b;
}

static bool want(struct client *c, uint32_t member)
{
	struct lease_hub *hub = c->bench->hubs[c->core];

	if (member != LEASE_ANY && lease_take(hub, 0, member)) {
		note(c, member);
		return true;
	}
	lease_wait(hub, &c->waiter, 0, member);
	return false;
}

static void release(struct client *c)
{
	assert_true(c->holds);
	c->holds = false;
	c->bench->held[c->member]--;
	lease_put(c->bench->hubs[c->core], 0, c->member);
}

/* No token is lost: in the end all of them lie unused somewhere. */
static void finish(struct bench *b)
{
	for (uint32_t c = 0; c < b->cores; c++)
		for (uint32_t i = 0; i < CLIENTS; i++) {
			lease_cancel(b->hubs[c], &b->clients[c][i].waiter);
			if (b->clients[c][i].holds)
				release(&b->clients[c][i]);
		}
	fake_workers_settle(b->f);
	for (uint32_t m = 0; m < b->members; m++) {
		uint32_t sum = 0;

		assert_int_equal(b->held[m], 0);
		for (uint32_t c = 0; c < b->cores; c++)
			sum += lease_spare(b->hubs[c], 0, m);
		assert_int_equal(sum, b->limits[m]);
	}
	fake_workers_destroy(b->f);
	for (uint32_t c = 0; c < b->cores; c++)
		lease_hub_destroy(b->hubs[c]);
	free(b);
}

static void one_core_sends_no_mail_and_keeps_order(void **state)
{
	struct bench *b = start(1, 2, (uint32_t[]){1, 1});
	struct client *c = b->clients[0];

	(void)state;
	assert_true(want(&c[0], 0));
	assert_true(want(&c[1], 1));
	assert_false(want(&c[2], 0));
	assert_false(want(&c[3], LEASE_ANY));
	assert_false(want(&c[4], 1));
	assert_int_equal(lease_waiting(b->hubs[0], 0, LEASE_ANY), 1);
	fake_workers_settle(b->f);
	assert_false(c[2].holds || c[3].holds || c[4].holds);
	release(&c[1]); /* of member 1: who waits for any is before who waits for it */
	assert_false(want(&c[5], 1)); /* no overtaking */
	fake_workers_settle(b->f);
	assert_true(c[3].holds);
	assert_int_equal(c[3].member, 1);
	release(&c[3]);
	release(&c[0]);
	fake_workers_settle(b->f);
	assert_true(c[2].holds && c[4].holds);
	assert_false(c[5].holds);
	lease_cancel(b->hubs[0], &c[5].waiter);
	lease_cancel(b->hubs[0], &c[5].waiter);
	release(&c[4]);
	fake_workers_settle(b->f);
	assert_false(c[5].holds);
	assert_int_equal(lease_mail_count(b->hubs[0]), 0);
	finish(b);
}

static void no_limit_means_tokens_without_end(void **state)
{
	struct bench *b = start(1, 1, (uint32_t[]){0});

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_true(lease_take(b->hubs[0], 0, 0));
	lease_put(b->hubs[0], 0, 0);
	finish(b);
}

static void closed_member_is_not_any(void **state)
{
	struct bench *b = start(1, 2, (uint32_t[]){1, 1});
	struct client *c = b->clients[0];

	(void)state;
	assert_true(want(&c[0], 0));
	lease_set_open(b->hubs[0], 0, 1, false);
	want(&c[1], LEASE_ANY);
	fake_workers_settle(b->f);
	assert_false(c[1].holds);
	assert_true(want(&c[2], 1)); /* asked for by name it is given */
	release(&c[2]);
	fake_workers_settle(b->f);
	assert_false(c[1].holds);
	lease_set_open(b->hubs[0], 0, 1, true);
	fake_workers_settle(b->f);
	assert_true(c[1].holds);
	finish(b);
}

static void plenty_is_kept_where_it_was_used(void **state)
{
	struct bench *b = start(2, 1, (uint32_t[]){1000});
	struct client *c = b->clients[1];
	uint64_t mails;

	(void)state;
	want(&c[0], 0);
	fake_workers_settle(b->f);
	assert_true(c[0].holds);
	mails = lease_mail_count(b->hubs[0]) + lease_mail_count(b->hubs[1]);
	for (int i = 0; i < 100; i++) {
		assert_true(want(&c[1], 0));
		release(&c[1]);
		fake_workers_settle(b->f);
	}
	assert_int_equal(lease_mail_count(b->hubs[0]) + lease_mail_count(b->hubs[1]), mails);
	finish(b);
}

static void kept_tokens_are_called_back(void **state)
{
	struct bench *b = start(2, 1, (uint32_t[]){20});
	uint32_t holds = 0;

	(void)state;
	for (uint32_t i = 0; i < 10; i++) { /* the other core gets some, and some to keep */
		want(&b->clients[1][i], 0);
		fake_workers_settle(b->f);
	}
	for (uint32_t i = 0; i < 10; i++)
		release(&b->clients[1][i]);
	fake_workers_settle(b->f);
	assert_true(lease_spare(b->hubs[1], 0, 0) > 0);
	for (uint32_t i = 0; i < 20; i++)
		want(&b->clients[0][i], 0);
	fake_workers_settle(b->f);
	for (uint32_t i = 0; i < 20; i++)
		holds += b->clients[0][i].holds;
	assert_int_equal(holds, 20);
	assert_int_equal(lease_spare(b->hubs[1], 0, 0), 0);
	finish(b);
}

/* Random demand on a scarce limit: never exceeded, nothing lost, nobody starves. */
static void storm(uint32_t cores, uint32_t members, const uint32_t *limits, uint64_t seed)
{
	struct bench *b = start(cores, members, limits);
	struct rand r;

	rand_init(&r, seed);
	for (int step = 0; step < 4000; step++) {
		uint32_t core = rand_below(&r, cores);
		struct client *c = &b->clients[core][rand_below(&r, CLIENTS)];
		uint32_t dice = rand_below(&r, 10);

		if (c->holds)
			release(c);
		else if (!lease_is_waiting(&c->waiter))
			want(c, dice < 5 ? LEASE_ANY : rand_below(&r, members));
		else if (dice == 0)
			lease_cancel(b->hubs[core], &c->waiter);
		if (dice < 4)
			fake_workers_poll(b->f);
	}
	for (int round = 0; round < 2000;
		round++) { /* everybody who has one lets go: all get one */
		for (uint32_t c = 0; c < cores; c++)
			for (uint32_t i = 0; i < CLIENTS; i++)
				if (b->clients[c][i].holds)
					release(&b->clients[c][i]);
		fake_workers_poll(b->f);
	}
	for (uint32_t c = 0; c < cores; c++)
		for (uint32_t i = 0; i < CLIENTS; i++) {
			assert_false(lease_is_waiting(&b->clients[c][i].waiter));
		}
	finish(b);
}

static void storms(void **state)
{
	static const struct {
		uint32_t members, limits[MEMBERS_MAX];
	} rows[] = {{1, {1}}, {1, {5}}, {1, {60}}, {2, {1, 2}}, {4, {1, 3, 9, 2}}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (uint32_t cores = 1; cores <= CORES_MAX; cores++)
			for (uint64_t seed = 1; seed <= 5; seed++)
				storm(cores, rows[i].members, rows[i].limits, seed);
}

/* One core always has many waiters; the others still get their share. */
static void cores_take_turns(void **state)
{
	struct bench *b = start(3, 1, (uint32_t[]){1});

	(void)state;
	for (uint32_t i = 0; i < CLIENTS; i++)
		want(&b->clients[1][i], 0);
	fake_workers_settle(b->f);
	want(&b->clients[0][0], 0);
	want(&b->clients[2][0], 0);
	for (int round = 0; round < 4; round++) {
		fake_workers_settle(b->f);
		for (uint32_t c = 0; c < 3; c++)
			for (uint32_t i = 0; i < CLIENTS; i++)
				if (b->clients[c][i].holds) {
					release(&b->clients[c][i]);
					if (c == 1)
						want(&b->clients[c][i], 0);
				}
	}
	assert_int_equal(b->clients[0][0].granted, 1);
	assert_int_equal(b->clients[2][0].granted, 1);
	finish(b);
}

/* A mailbox of two messages: everything takes longer and nothing is lost. */
static void full_mailboxes_only_delay(void **state)
{
	struct bench *b = start(3, 1, (uint32_t[]){7});
	uint32_t holds = 0;

	(void)state;
	fake_workers_destroy(b->f);
	for (uint32_t c = 0; c < 3; c++)
		lease_hub_destroy(b->hubs[c]);
	b->f = fake_workers_create_with(3, 2, 1);
	for (uint32_t c = 0; c < 3; c++) {
		struct lease_group_config group = {1, b->limits};

		b->hubs[c] = lease_hub_create(
			&(struct lease_hub_config){b->f->w[c], 3, 1, &group}, NULL);
	}
	for (uint32_t c = 0; c < 3; c++)
		lease_hub_connect(b->hubs[c], b->hubs);
	for (uint32_t c = 0; c < 3; c++)
		for (uint32_t i = 0; i < CLIENTS; i++)
			want(&b->clients[c][i], 0);
	fake_workers_settle(b->f);
	for (uint32_t c = 0; c < 3; c++)
		for (uint32_t i = 0; i < CLIENTS; i++)
			holds += b->clients[c][i].holds;
	assert_int_equal(holds, 7);
	finish(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_core_sends_no_mail_and_keeps_order),
		cmocka_unit_test(no_limit_means_tokens_without_end),
		cmocka_unit_test(closed_member_is_not_any),
		cmocka_unit_test(plenty_is_kept_where_it_was_used),
		cmocka_unit_test(kept_tokens_are_called_back),
		cmocka_unit_test(storms),
		cmocka_unit_test(cores_take_turns),
		cmocka_unit_test(full_mailboxes_only_delay),
	};

	return cmocka_run_group_tests_name("lb/lease", tests, NULL, NULL);
}
