/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <errno.h>

#include "fake_worker.h"

/* What a core got: numbers must come in order from each sender. */
struct inbox {
	uint32_t count;
	uint32_t next[3];
	uint64_t turn; /* of the receiver, at the last mail */
};

static void numbered_mail(struct worker *to, const struct mail *mail)
{
	struct inbox *inbox = (struct inbox *)(uintptr_t)mail->arg[5];

	assert_in_range(mail->from, 0, to->cores - 1);
	assert_int_equal(mail->word, inbox->next[mail->from]);
	inbox->next[mail->from]++;
	inbox->count++;
	inbox->turn = to->turn;
}

static int send_number(struct worker *w, uint32_t to, uint32_t number, struct inbox *inbox)
{
	struct mail mail = {.fn = numbered_mail,
		.from = 999,
		.word = number,
		.arg = {[5] = (uint64_t)(uintptr_t)inbox}};

	return worker_mail(w, to, &mail);
}

static void mail_leaves_at_the_end_of_the_turn(void **state)
{
	struct fake_workers *f = fake_workers_create(3);
	struct inbox inbox = {0};

	(void)state;
	assert_int_equal(send_number(f->w[0], 2, 0, &inbox), 0);
	assert_int_equal(worker_poll(f->w[2], 0), 0);
	assert_int_equal(worker_poll(f->w[0], 0), 1);
	assert_int_equal(worker_mailbox_depth(f->w[2]), 1);
	assert_int_equal(inbox.count, 0);
	assert_int_equal(worker_poll(f->w[1], 0), 0);
	assert_int_equal(worker_poll(f->w[2], 0), 1);
	assert_int_equal(inbox.count, 1);
	assert_int_equal(inbox.next[0], 1);
	fake_workers_destroy(f);
}

static void mail_to_itself_comes_next_turn(void **state)
{
	struct fake_workers *f = fake_workers_create(1);
	struct inbox inbox = {0};

	(void)state;
	assert_int_equal(send_number(f->w[0], 0, 0, &inbox), 0);
	assert_int_equal(worker_poll(f->w[0], 0), 1);
	assert_int_equal(inbox.count, 0);
	assert_int_equal(worker_poll(f->w[0], 0), 1);
	assert_int_equal(inbox.count, 1);
	assert_int_equal(worker_poll(f->w[0], 0), 0);
	fake_workers_destroy(f);
}

static void full_mailbox_pushes_back_and_keeps_the_order(void **state)
{
	enum { MAILBOX = 15 };
	struct fake_workers *f = fake_workers_create_with(2, MAILBOX, 1);
	struct inbox inbox = {0};
	uint32_t sent = 0, refused = 0;

	(void)state;
	while (send_number(f->w[0], 1, sent, &inbox) == 0)
		sent++;
	assert_int_equal(sent, WORKER_OUTBOX_MAILS);
	assert_int_equal(worker_poll(f->w[0], 0), MAILBOX);
	assert_int_equal(worker_poll(f->w[0], 0), 0);
	assert_int_equal(worker_mailbox_depth(f->w[1]), MAILBOX);
	/* go on sending while it drains, so that the outbox goes round */
	for (int turn = 0; turn < 500; turn++) {
		for (int i = 0; i < 20; i++) {
			int ret = send_number(f->w[0], 1, sent, &inbox);

			assert_true(ret == 0 || ret == -ENOBUFS);
			sent += ret == 0;
			refused += ret != 0;
		}
		fake_workers_poll(f);
	}
	assert_true(refused > 0);
	fake_workers_settle(f);
	assert_int_equal(inbox.count, sent);
	assert_true(sent > 500 * MAILBOX);
	assert_true(f->w[1]->mailbox_depth_max == MAILBOX);
	fake_workers_destroy(f);
}

static void one_turn_handles_a_budget(void **state)
{
	struct fake_workers *f = fake_workers_create(2);
	struct inbox inbox = {0};

	(void)state;
	for (uint32_t i = 0; i < WORKER_MAIL_BUDGET + 10; i++)
		assert_int_equal(send_number(f->w[0], 1, i, &inbox), 0);
	worker_poll(f->w[0], 0);
	assert_int_equal(worker_poll(f->w[1], 0), WORKER_MAIL_BUDGET);
	assert_int_equal(worker_poll(f->w[1], 0), 10);
	fake_workers_destroy(f);
}

/* Each receiver takes its own; a full one does not hold up the others. */
static void outboxes_are_independent(void **state)
{
	struct fake_workers *f = fake_workers_create_with(3, 7, 1);
	struct inbox inbox[3] = {0};

	(void)state;
	for (uint32_t i = 0; i < 20; i++)
		for (uint32_t to = 0; to < 3; to++)
			assert_int_equal(send_number(f->w[0], to, i, &inbox[to]), 0);
	worker_poll(f->w[0], 0);
	while (inbox[2].count < 20) { /* core 1 does nothing */
		worker_poll(f->w[2], 0);
		worker_poll(f->w[0], 0);
	}
	assert_int_equal(inbox[0].count, 20);
	assert_int_equal(inbox[1].count, 0);
	fake_workers_settle(f);
	assert_int_equal(inbox[1].count, 20);
	fake_workers_destroy(f);
}

static void answering_mail(struct worker *to, const struct mail *mail)
{
	int *result = (int *)(uintptr_t)mail->arg[0];

	*result = worker_mail(to, mail->from, mail);
}

static void destroying_handles_what_waits_but_sends_nothing(void **state)
{
	struct fake_workers *f = fake_workers_create(2);
	struct clock_manual clock;
	struct worker_config config = {.name = "alone", .cores = 1, .clock = &clock.clock};
	struct worker *alone;
	int result = 1;
	struct mail mail = {.fn = answering_mail, .arg = {(uint64_t)(uintptr_t)&result}};

	(void)state;
	clock_manual_init(&clock, 1);
	alone = worker_create(&config, NULL);
	assert_non_null(alone);
	worker_connect(&alone, 1);
	assert_int_equal(worker_mail(alone, 0, &mail), 0);
	worker_poll(alone, 0);
	worker_destroy(alone);
	assert_int_equal(result, -ENOBUFS);
	fake_workers_destroy(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_leaves_at_the_end_of_the_turn),
		cmocka_unit_test(mail_to_itself_comes_next_turn),
		cmocka_unit_test(full_mailbox_pushes_back_and_keeps_the_order),
		cmocka_unit_test(one_turn_handles_a_budget),
		cmocka_unit_test(outboxes_are_independent),
		cmocka_unit_test(destroying_handles_what_waits_but_sends_nothing),
	};

	return cmocka_run_group_tests_name("worker/mail", tests, NULL, NULL);
}
