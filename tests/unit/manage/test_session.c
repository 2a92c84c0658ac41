/* SPDX-License-Identifier: BSD-3-Clause */
/* The answers to lines without commands of ours are what HAProxy 2.6.12 gave. */
#include "check.h"

#include "manage_setup.h"

static void lines_and_modes(void **state)
{
	struct manage_setup *s = *state;
	static const struct {
		const char *text, *answer;
	} cases[] = {
		{"show version\n", "1.2.3\n\n"},
		{"show version\r\n", "1.2.3\n\n"},
		{"show version;show version\n", "1.2.3\n\n1.2.3\n\n"},
		{"show version; quit; show version\n", "1.2.3\n\n"},
		{"show version\nshow version\n", "1.2.3\n\n1.2.3\n\n"},
		{"show version;\n", "1.2.3\n\n"},
		{" show   version foo\n", "1.2.3\n\n"},
		{"show version # hi\n", "1.2.3\n\n"},
		{"show version", ""},
		{"", ""},
		{"quit\n", ""},
		{"prompt\nshow version\nquit\n", "\n> 1.2.3\n\n> "},
		{"prompt\nshow version; show version\nquit\n", "\n> 1.2.3\n\n> 1.2.3\n\n> "},
		{"prompt; show version\n", "\n> 1.2.3\n\n> "},
		{"prompt\nprompt\nshow version\n", "\n> \n1.2.3\n\n"},
		{"show version <<\nfoo\n\n", "1.2.3\n\n"},
		{"prompt\nshow version <<\nfoo\nbar\n\nquit\n", "\n> + + + 1.2.3\n\n> "},
		{"show version <<EOF\nfoo\n\nEOF\n", "1.2.3\n\n"},
		{"show cli level\n", "admin\n\n"},
		{"user;show cli level;operator\n", "\nuser\n\nPermission denied\n\n"},
		{"operator;show cli level\n", "\noperator\n\n"},
		{"set timeout cli 5s\n", "\n"},
		{"set timeout cli 10\n", "\n"},
		{"set timeout cli x\n", "Invalid timeout value.\n\n"},
		{"set timeout\n", "'set timeout' only supports 'cli'.\n\n"},
		{"show env NOPE_X\n", "Variable not found\n\n"},
	};

	for (uint32_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(manage_ask(s, cases[i].text), cases[i].answer);
}

static void levels_permit_and_forbid(void **state)
{
	struct manage_setup *s = *state;
	static const struct {
		const char *command;
		int level;
	} cases[] = {
		{"show version", MODEL_LEVEL_USER},
		{"show info", MODEL_LEVEL_USER},
		{"show stat", MODEL_LEVEL_USER},
		{"help", MODEL_LEVEL_USER},
		{"show backend", MODEL_LEVEL_USER},
		{"show env", MODEL_LEVEL_OPERATOR},
		{"show errors", MODEL_LEVEL_OPERATOR},
		{"show sess", MODEL_LEVEL_OPERATOR},
		{"show conn", MODEL_LEVEL_OPERATOR},
		{"show arp", MODEL_LEVEL_OPERATOR},
		{"show route", MODEL_LEVEL_OPERATOR},
		{"show port", MODEL_LEVEL_OPERATOR},
		{"show worker", MODEL_LEVEL_OPERATOR},
		{"show pool", MODEL_LEVEL_OPERATOR},
		{"show drops", MODEL_LEVEL_OPERATOR},
		{"profile on", MODEL_LEVEL_ADMIN},
		{"disable address 10.9.0.9", MODEL_LEVEL_ADMIN},
		{"enable route 10.9.0.0/24", MODEL_LEVEL_ADMIN},
	};

	for (uint32_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (int level = MODEL_LEVEL_USER; level <= MODEL_LEVEL_ADMIN; level++) {
			static const char *const lower[] = {"user", "operator", "show version"};
			char text[64];
			bool denied;

			snprintf(text, sizeof(text), "%s;%s\n", lower[level], cases[i].command);
			denied = strstr(manage_ask(s, text), "Permission denied\n") != NULL;
			assert_int_equal(denied, level < cases[i].level);
		}
	}
	assert_string_equal(manage_ask_at(s, s->user, "show env\n"), "Permission denied\n\n");
}

static void unknown_commands_get_help(void **state)
{
	struct manage_setup *s = *state;
	const char *a = manage_ask(s, "\n");

	assert_non_null(
		strstr(a, "Unknown command. Please enter one of the following commands only:\n"));
	assert_non_null(strstr(a, "  show version                            : "));
	a = manage_ask(s, "shwo version\n");
	assert_non_null(strstr(
		a, "Unknown command, but maybe one of the following ones is a better match:\n"));
	a = manage_ask(s, "show versoin\n");
	assert_non_null(strstr(a, "  show version "));
	assert_null(strstr(a, "  show info "));
	a = manage_ask(s, "show\n");
	assert_non_null(strstr(a, "  show info [desc|json|typed|float]*      : "));
	assert_null(strstr(a, "  profile "));
	assert_non_null(strstr(a, "  help [<command>]                        : "));
	a = manage_ask(s, "help show cli\n");
	assert_non_null(strstr(a, "The following commands are valid at this level:\n"));
	assert_non_null(strstr(a, "  show cli level "));
	assert_null(strstr(a, "  show stat "));
	a = manage_ask_at(s, s->user, "help\n");
	assert_null(strstr(a, "  show env "));
	assert_non_null(strstr(a, "  quit                                    : disconnect\n\n"));
}

static void lines_may_come_in_pieces(void **state)
{
	struct manage_setup *s = *state;
	const char *text = "show version;show cli level\n";
	int fd = manage_connect(s, s->admin);

	for (const char *p = text; *p; p++) {
		assert_false(manage_read(s, fd));
		assert_int_equal(s->answer_len, 0);
		assert_int_equal(write(fd, p, 1), 1);
	}
	assert_true(manage_read(s, fd));
	assert_string_equal(s->answer, "1.2.3\n\nadmin\n\n");
	close(fd);
}

static void too_long_lines_end_the_session(void **state)
{
	struct manage_setup *s = *state;
	static char text[MG_INPUT_BYTES + 2];
	int fd = manage_connect(s, s->admin);

	memset(text, 'x', sizeof(text) - 1);
	manage_send(fd, text);
	manage_read(s, fd);
	assert_int_equal(s->answer_len, 0);
	assert_int_equal(s->m->session_count, 0);
	close(fd);
	/* just as long as it may be */
	text[MG_INPUT_BYTES - 1] = '\n';
	text[MG_INPUT_BYTES] = '\0';
	assert_non_null(strstr(manage_ask(s, text), "Unknown command"));
}

static void bytes_that_are_no_text_do_no_harm(void **state)
{
	struct manage_setup *s = *state;
	int fd = manage_connect(s, s->admin);
	static const char alphabet[] = "show stat;\n\\<< typed json x\0\xff";
	uint64_t seed = 1;

	assert_int_equal(send(fd, "show version\0foo\n", 17, 0), 17);
	assert_true(manage_read(s, fd));
	assert_string_equal(s->answer, "1.2.3\n\n");
	close(fd);
	for (int i = 0; i < 300; i++) {
		char text[200];

		for (uint32_t b = 0; b < sizeof(text); b++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			text[b] = alphabet[(seed >> 33) % sizeof(alphabet)];
		}
		fd = manage_connect(s, s->admin);
		assert_int_equal(send(fd, text, sizeof(text), 0), sizeof(text));
		shutdown(fd, SHUT_WR);
		manage_read(s, fd);
		close(fd);
	}
	fake_workers_settle(s->f);
	assert_int_equal(s->m->session_count, 0);
}

static void ten_thousand_commands_in_one_burst(void **state)
{
	enum { COUNT = 10000 };
	struct manage_setup *s = *state;
	int fd = manage_connect(s, s->admin);
	size_t answered = 0;

	manage_send(fd, "prompt\n");
	for (uint32_t i = 0; i < COUNT;) {
		ssize_t n = send(fd, "show version\n", 13, MSG_DONTWAIT);

		assert_true(n == 13 || n < 0);
		if (n == 13) {
			i++;
		} else {
			manage_read(s, fd);
			answered += s->answer_len;
		}
	}
	manage_read(s, fd);
	answered += s->answer_len;
	assert_int_equal(answered, 3 + COUNT * strlen("1.2.3\n\n> "));
	close(fd);
}

/* Answers wait for who does not read them, and are not made before he does. */
static void slow_readers_cost_bounded_memory(void **state)
{
	struct manage_setup *s = *state;
	int fd = manage_connect(s, s->admin);
	struct mg_session *session;
	size_t total = 0;

	s->cores[0].sessions = 50000;
	s->cores[1].sessions = 50000;
	manage_send(fd, "show sess\n");
	fake_workers_settle(s->f);
	session = list_first(&s->m->sessions, struct mg_session, link);
	assert_true(sock_conn_output_pending(session->conn) > MG_OUTPUT_BYTES);
	assert_true(sock_conn_output_pending(session->conn) < 3 * MG_OUTPUT_BYTES);
	for (bool end = false; !end;) {
		end = manage_read(s, fd);
		for (const char *p = s->answer; (p = strchr(p, '\n')); p++)
			total++;
	}
	assert_int_equal(total, 100001);
	close(fd);
}

static void vanished_operators_take_their_questions_along(void **state)
{
	struct manage_setup *s = *state;
	int fd = manage_connect(s, s->admin);

	s->cores[0].sessions = 10;
	manage_send(fd, "show sess\n");
	worker_poll(s->f->w[2], 0); /* the question leaves */
	assert_false(list_is_empty(&s->m->asks));
	close(fd);
	worker_poll(s->f->w[2], 0);
	assert_int_equal(s->m->session_count, 0);
	assert_false(list_is_empty(&s->m->asks)); /* it is with core 0 */
	fake_workers_settle(s->f);
	assert_true(list_is_empty(&s->m->asks));
}

static void silent_cores_are_passed_by(void **state)
{
	struct manage_setup *s = *state;
	int fd = manage_connect(s, s->admin);

	s->cores[0].sessions = 1;
	s->cores[1].sessions = 1;
	manage_send(fd, "show sess\n");
	for (uint32_t i = 0; i < 40; i++) { /* core 0 does nothing for four seconds */
		clock_manual_advance(&s->f->clock, NS_PER_SEC / 10);
		worker_poll(s->f->w[2], 0);
		worker_poll(s->f->w[1], 0);
	}
	fake_workers_settle(s->f); /* its answer comes too late, and is freed */
	assert_true(manage_read(s, fd));
	assert_non_null(strstr(s->answer, "Core 0 (worker) does not answer.\n"));
	assert_non_null(strstr(s->answer, "core=1\n"));
	assert_null(strstr(s->answer, "core=0\n"));
	assert_true(list_is_empty(&s->m->asks));
	close(fd);
}

static void idle_sessions_end(void **state)
{
	struct manage_setup *s = *state;
	int fd = manage_connect(s, s->admin), other = manage_connect(s, s->admin);

	manage_send(other, "prompt\nset timeout cli 30s\n");
	fake_workers_run_for(s->f, 9 * NS_PER_SEC);
	assert_int_equal(s->m->session_count, 2);
	fake_workers_run_for(s->f, 2 * NS_PER_SEC);
	assert_int_equal(s->m->session_count, 1);
	fake_workers_run_for(s->f, 30 * NS_PER_SEC);
	assert_int_equal(s->m->session_count, 0);
	close(fd);
	close(other);
}

static void sessions_have_a_limit(void **state)
{
	struct manage_setup *s = *state;
	int fd[12];

	for (uint32_t i = 0; i < ARRAY_LEN(fd); i++)
		fd[i] = manage_connect(s, s->admin);
	assert_int_equal(s->m->session_count, s->model->global.stats_maxconn);
	manage_send(fd[11], "show version\n");
	manage_read(s, fd[11]);
	assert_int_equal(s->answer_len, 0);
	for (uint32_t i = 0; i < 6; i++)
		close(fd[i]);
	assert_true(manage_read(s, fd[11]));
	assert_string_equal(s->answer, "1.2.3\n\n");
	for (uint32_t i = 6; i < ARRAY_LEN(fd); i++)
		close(fd[i]);
}

static void commands_sent_by_who_leaves_at_once_are_done(void **state)
{
	struct manage_setup *s = *state;
	int fd = manage_connect(s, s->admin);

	manage_send(fd, "profile on\nshow version\n");
	close(fd);
	fake_workers_settle(s->f);
	assert_true(s->f->w[0]->profile);
	assert_int_equal(s->m->session_count, 0);
}

static void another_model_changes_the_sockets(void **state)
{
	struct manage_setup *s = *state;
	struct model *bad = setup_model(s, " stats socket /nonexistent/x level admin\n");
	struct model *good =
		fake_config_model("global\n stats socket /tmp/weir-manage-other level operator\n");
	int fd = manage_connect(s, s->admin), slow = manage_connect(s, s->admin);

	s->cores[0].sessions = 20000;
	manage_send(slow, "show sess\n");
	fake_workers_settle(s->f);
	assert_int_equal(manage_model_set(s->m, bad, (struct proxy_view *)s, &s->err), -ENOENT);
	assert_non_null(strstr(s->err.text, "/nonexistent/x"));
	assert_string_equal(manage_ask(s, "show version\n"), "1.2.3\n\n");
	assert_int_equal(manage_model_set(s->m, good, (struct proxy_view *)s, NULL), 0);
	model_destroy(s->model);
	s->model = good;
	model_destroy(bad);
	assert_string_equal(
		manage_ask_at(s, "/tmp/weir-manage-other", "show cli level\n"), "operator\n\n");
	manage_send(fd, "show cli level\n"); /* who was there stays as he was */
	assert_true(manage_read(s, fd));
	assert_string_equal(s->answer, "admin\n\n");
	assert_true(manage_read(s, slow));
	assert_non_null(strstr(s->answer, "The configuration has changed: ask again.\n"));
	assert_int_equal(access(s->admin, F_OK), -1);
	close(fd);
	close(slow);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, manage_setup, manage_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_and_modes),
		TEST(levels_permit_and_forbid),
		TEST(unknown_commands_get_help),
		TEST(lines_may_come_in_pieces),
		TEST(too_long_lines_end_the_session),
		TEST(bytes_that_are_no_text_do_no_harm),
		TEST(ten_thousand_commands_in_one_burst),
		TEST(slow_readers_cost_bounded_memory),
		TEST(vanished_operators_take_their_questions_along),
		TEST(silent_cores_are_passed_by),
		TEST(idle_sessions_end),
		TEST(sessions_have_a_limit),
		TEST(commands_sent_by_who_leaves_at_once_are_done),
		TEST(another_model_changes_the_sockets),
	};

	return cmocka_run_group_tests_name("manage/session", tests, NULL, NULL);
}
