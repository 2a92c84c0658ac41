/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "base_list.h"

struct item {
	int n;
	struct list link;
};

static void order_is(struct list *head, const int *want, int count)
{
	int i = 0;

	list_for_each (link, head) {
		assert_true(i < count);
		assert_int_equal(list_entry(link, struct item, link)->n, want[i]);
		i++;
	}
	assert_int_equal(i, count);
}

static void keeps_order_and_removes(void **state)
{
	struct item items[3] = {{1}, {2}, {3}};
	struct list head;

	(void)state;
	list_init(&head);
	assert_true(list_is_empty(&head));
	list_add_tail(&head, &items[1].link);
	list_add_tail(&head, &items[2].link);
	list_add_head(&head, &items[0].link);
	order_is(&head, (int[]){1, 2, 3}, 3);
	list_del(&items[1].link);
	assert_false(list_is_linked(&items[1].link));
	list_del(&items[1].link); /* harmless when on no list */
	order_is(&head, (int[]){1, 3}, 2);
	assert_ptr_equal(list_pop_head(&head), &items[0].link);
	assert_ptr_equal(list_pop_head(&head), &items[2].link);
	assert_null(list_pop_head(&head));
}

static void splices_and_survives_removal_in_loop(void **state)
{
	struct item items[4] = {{1}, {2}, {3}, {4}};
	struct list a, b;

	(void)state;
	list_init(&a);
	list_init(&b);
	list_splice_tail(&a, &b);
	assert_true(list_is_empty(&a));
	for (int i = 0; i < 4; i++)
		list_add_tail(i < 2 ? &a : &b, &items[i].link);
	list_splice_tail(&a, &b);
	assert_true(list_is_empty(&b));
	order_is(&a, (int[]){1, 2, 3, 4}, 4);
	list_for_each_safe (link, &a) {
		if (list_entry(link, struct item, link)->n % 2 == 0)
			list_del(link);
	}
	order_is(&a, (int[]){1, 3}, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_order_and_removes),
		cmocka_unit_test(splices_and_survives_removal_in_loop),
	};

	return cmocka_run_group_tests_name("base/list", tests, NULL, NULL);
}
