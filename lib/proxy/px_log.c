/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * px_log: lines about streams, in HAProxy's formats (its configuration manual, 8.2 to 8.6).
 *
 * A line is put together in a buffer on the stack without the C library's formatting, and copied
 * into the core's ring. Numbers of connections are sums over all cores. Dates are local time by
 * the offset from UTC that the control core tells.
 */
#include "proxy_pvt.h"

#define URI_MAX_BYTES 1024 /* as tune.http.logurilen */

struct line {
	char text[PX_LOG_LINE_BYTES];
	size_t len;
};

static void put(struct line *l, struct bytes b)
{
	size_t n = MIN(b.len, sizeof(l->text) - l->len);

	if (n > 0)
		memcpy(l->text + l->len, b.ptr, n);
	l->len += n;
}

static void put_text(struct line *l, const char *text)
{
	put(l, bytes_of_cstr(text));
}

static void put_char(struct line *l, char c)
{
	put(l, bytes_of(&c, 1));
}

/* With zeros in front up to `width` digits. */
static void put_digits(struct line *l, uint64_t value, int width)
{
	char digits[20];
	int n = 0;

	while (value > 0 || n < width || n == 0) {
		digits[sizeof(digits) - 1 - (size_t)n++] = (char)('0' + value % 10);
		value /= 10;
	}
	put(l, bytes_of(digits + sizeof(digits) - n, (size_t)n));
}

static void put_number(struct line *l, int64_t value)
{
	if (value < 0)
		put_char(l, '-');
	put_digits(l, (uint64_t)(value < 0 ? -value : value), 1);
}

static void put_addr(struct line *l, const struct ip_addr *addr)
{
	char text[IP_ADDR_TEXT_SIZE];

	put_text(l, ip_addr_format(addr, text));
}

static void put_endpoint(struct line *l, const struct endpoint *e)
{
	put_addr(l, &e->addr);
	put_char(l, ':');
	put_digits(l, e->port, 1);
}

/* --- dates -------------------------------------------------------------------------------------
 */

struct date {
	uint64_t year, month, day; /* month from 0 */
	uint64_t seconds;          /* of the day */
};

/* Days since 1970 to a date; years are taken to begin in March, so that leap days come last. */
static struct date date_of(uint64_t seconds)
{
	uint64_t days = seconds / 86400 + 719468;
	uint64_t era = days / 146097, of_era = days % 146097;
	uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	uint64_t from_march = (5 * of_year + 2) / 153;
	struct date d = {
		.day = of_year - (153 * from_march + 2) / 5 + 1,
		.month = from_march < 10 ? from_march + 2 : from_march - 10,
		.seconds = seconds % 86400,
	};

	d.year = year + era * 400 + (d.month < 2);
	return d;
}

/* 23/Nov/2026:06:52:01 */
static void put_date(struct line *l, uint64_t seconds)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct date d = date_of(seconds);

	put_digits(l, d.day, 2);
	put_char(l, '/');
	put(l, bytes_of(months + 3 * d.month, 3));
	put_char(l, '/');
	put_digits(l, d.year, 4);
	put_char(l, ':');
	put_digits(l, d.seconds / 3600, 2);
	put_char(l, ':');
	put_digits(l, d.seconds / 60 % 60, 2);
	put_char(l, ':');
	put_digits(l, d.seconds % 60, 2);
}

static void put_local_date(struct line *l, const struct px_stream *st)
{
	uint64_t ms = st->start_wall_ns / NS_PER_MS;

	put_char(l, '[');
	put_date(l, ms / 1000 + stat_read(&st->px->utc_offset_s));
	put_char(l, '.');
	put_digits(l, ms % 1000, 3);
	put_char(l, ']');
}

static void put_utc_date(struct line *l, const struct px_stream *st)
{
	put_char(l, '[');
	put_date(l, st->start_wall_ns / NS_PER_SEC);
	put_text(l, " +0000]");
}

/* --- parts -------------------------------------------------------------------------------------
 */

static uint64_t sum(const struct proxy *px, enum proxy_object kind, uint32_t index)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < px->worker_count; i++)
		total += stat_read(&px->all[i]->counters[kind][index].v[PROXY_STAT_SCUR]);
	return total;
}

static uint64_t sum_total(const struct proxy *px)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < px->worker_count; i++)
		total += stat_read(&px->all[i]->total.v[PROXY_STAT_SCUR]);
	return total;
}

static int64_t span_ms(uint64_t from_ns, uint64_t to_ns)
{
	return from_ns == 0 || to_ns == 0 ? -1 : (int64_t)((to_ns - from_ns) / NS_PER_MS);
}

static const char *backend_name(const struct px_stream *st)
{
	return st->be ? st->be->model->name : st->fe->model->name;
}

static const char *server_name(const struct px_stream *st)
{
	return st->server ? st->server->model->name : "<NOSRV>";
}

struct timers {
	int64_t request, queue, connect, response;
	int64_t total;
};

static struct timers timers_of(const struct px_stream *st)
{
	return (struct timers){
		.request = span_ms(st->start_ns, st->request_ns),
		.queue = span_ms(st->http ? st->request_ns : st->start_ns, st->queue_ns),
		.connect = span_ms(st->queue_ns, st->connected_ns),
		.response = span_ms(st->connected_ns, st->response_ns),
		.total = span_ms(st->start_ns, px_now(st->px)),
	};
}

/* Five numbers of connections, two of queues, each row with its own separator. */
static void put_counts(struct line *l, const struct px_stream *st, char sep, char gap)
{
	const struct proxy *px = st->px;

	put_digits(l, sum_total(px), 1);
	put_char(l, sep);
	put_digits(l, sum(px, PROXY_OBJECT_FRONTEND, st->fe->index), 1);
	put_char(l, sep);
	put_digits(l, st->be ? sum(px, PROXY_OBJECT_BACKEND, st->be->index) : 0, 1);
	put_char(l, sep);
	put_digits(l, st->server ? sum(px, PROXY_OBJECT_SERVER, st->server->index) : 0, 1);
	put_char(l, sep);
	if (st->redispatched)
		put_char(l, '+');
	put_digits(l, st->retries, 1);
	put_char(l, gap);
	put_digits(l, st->server_queue, 1);
	put_char(l, sep);
	put_digits(l, st->backend_queue, 1);
}

/* Anything but plain ASCII, and the quote and the mark themselves, as #XX. */
static void put_encoded(struct line *l, struct bytes b, size_t *room)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i<b.len && * room> 0; i++, --*room) {
		uint8_t c = (uint8_t)b.ptr[i];

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '#') {
			put_char(l, (char)c);
			continue;
		}
		put_char(l, '#');
		put_char(l, hex[c >> 4]);
		put_char(l, hex[c & 15]);
	}
}

static void put_request_line(struct line *l, const struct px_stream *st)
{
	size_t room = URI_MAX_BYTES - 1;

	put_char(l, '"');
	if (st->req) {
		char version[] = " HTTP/1.1";

		version[6] = (char)('0' + st->req->version_major);
		version[8] = (char)('0' + st->req->version_minor);
		put_encoded(l, st->req->method_text, &room);
		put_encoded(l, BYTES_LIT(" "), &room);
		put_encoded(l, st->req->target, &room);
		put_encoded(l, bytes_of_cstr(version), &room);
	} else {
		put_text(l, "<BADREQ>");
	}
	put_char(l, '"');
}

/* --- lines -------------------------------------------------------------------------------------
 */

/* An unfinished stream (option logasap) is marked: the final figure may be larger. */
static void put_plus(struct line *l, const struct px_stream *st)
{
	if (st->state != PX_STATE_CLOSING && st->fe->model->logasap)
		put_char(l, '+');
}

static void put_beginning(struct line *l, const struct px_stream *st)
{
	put_endpoint(l, &st->session->client);
	put_char(l, ' ');
	put_local_date(l, st);
	put_char(l, ' ');
	put_text(l, st->fe->model->name);
	put_char(l, ' ');
	put_text(l, backend_name(st));
	put_char(l, '/');
	put_text(l, server_name(st));
	put_char(l, ' ');
}

static void put_tcp(struct line *l, const struct px_stream *st)
{
	struct timers t = timers_of(st);

	put_beginning(l, st);
	put_number(l, t.queue);
	put_char(l, '/');
	put_number(l, t.connect);
	put_char(l, '/');
	put_plus(l, st);
	put_number(l, t.total);
	put_char(l, ' ');
	put_plus(l, st);
	put_digits(l, st->bytes_down, 1);
	put_char(l, ' ');
	put_char(l, st->term.cause);
	put_char(l, st->term.phase);
	put_char(l, ' ');
	put_counts(l, st, '/', ' ');
}

static void put_http(struct line *l, const struct px_stream *st)
{
	struct timers t = timers_of(st);
	int64_t rows[] = {t.request, t.queue, t.connect, t.response};

	put_beginning(l, st);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put_number(l, rows[i]);
		put_char(l, '/');
	}
	put_plus(l, st);
	put_number(l, t.total);
	put_char(l, ' ');
	put_number(l, st->status ? st->status : -1);
	put_char(l, ' ');
	put_plus(l, st);
	put_digits(l, st->bytes_down, 1);
	put_text(l, " - - ");
	put_char(l, st->term.cause);
	put_char(l, st->term.phase);
	put_text(l, "-- ");
	put_counts(l, st, '/', ' ');
	put_char(l, ' ');
	put_request_line(l, st);
}

static void put_quoted(struct line *l, const char *text)
{
	put_char(l, '"');
	put_text(l, text);
	put_text(l, "\" ");
}

static void put_clf(struct line *l, const struct px_stream *st)
{
	struct timers t = timers_of(st);
	int64_t rows[] = {t.request, t.queue, t.connect, t.response};

	put_addr(l, &st->session->client.addr);
	put_text(l, " - - ");
	put_utc_date(l, st);
	put_char(l, ' ');
	put_request_line(l, st);
	put_char(l, ' ');
	put_number(l, st->status ? st->status : -1);
	put_char(l, ' ');
	put_digits(l, st->bytes_down, 1);
	put_text(l, " \"\" \"\" ");
	put_digits(l, st->session->client.port, 1);
	put_char(l, ' ');
	put_digits(l, st->start_wall_ns / NS_PER_MS % 1000, 3);
	put_char(l, ' ');
	put_quoted(l, st->fe->model->name);
	put_quoted(l, backend_name(st));
	put_quoted(l, server_name(st));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put_number(l, rows[i]);
		put_char(l, ' ');
	}
	put_plus(l, st);
	put_number(l, t.total);
	put_char(l, ' ');
	put_char(l, st->term.cause);
	put_char(l, st->term.phase);
	put_text(l, "-- ");
	put_counts(l, st, ' ', ' ');
	put_text(l, " \"\" \"\"");
}

static void write_line(struct px_stream *st, const struct line *l)
{
	struct proxy *px = st->px;

	if (!log_write(px->worker->log, px->worker->wall_ns, st->fe->model->log, LOG_LEVEL_INFO,
		    bytes_of(l->text, l->len)))
		stat_add(&px->drops[PROXY_DROP_LOG_LOST], 1);
}

/* The default format speaks when a stream begins, all others when it ends. */
void px_log_connect(struct px_stream *st)
{
	const struct model_proxy *fe = st->fe->model;
	struct line l;

	if (fe->log == MODEL_NONE || fe->log_format != MODEL_LOG_DEFAULT)
		return;
	l.len = 0;
	put_text(&l, "Connect from ");
	put_endpoint(&l, &st->session->client);
	put_text(&l, " to ");
	put_endpoint(&l, &st->session->local);
	put_text(&l, " (");
	put_text(&l, fe->name);
	put_text(&l, fe->mode == MODEL_MODE_HTTP ? "/HTTP)" : "/TCP)");
	write_line(st, &l);
}

static bool is_normal(const struct px_stream *st)
{
	return st->term.cause == '-' && st->retries == 0 && !st->redispatched && st->status < 500;
}

void px_log_stream(struct px_stream *st)
{
	const struct model_proxy *fe = st->fe->model;
	bool null = st->http ? st->silent : st->bytes_up == 0 && st->up.hold.bytes == 0;
	struct line l;

	st->logged = true;
	if (fe->log == MODEL_NONE || fe->log_format == MODEL_LOG_DEFAULT)
		return;
	if ((fe->dontlog_normal && is_normal(st)) || (fe->dontlognull && null))
		return;
	l.len = 0;
	if (fe->log_format == MODEL_LOG_TCP || (fe->log_format == MODEL_LOG_HTTP && !st->http))
		put_tcp(&l, st);
	else if (fe->log_format == MODEL_LOG_HTTP)
		put_http(&l, st);
	else
		put_clf(&l, st);
	write_line(st, &l);
}
