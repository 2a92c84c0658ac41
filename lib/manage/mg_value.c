/* SPDX-License-Identifier: BSD-3-Clause */
/* The three forms of a value. JSON strings must be UTF-8: bytes that are not are shown as '?'. */
#include <inttypes.h>
#include <stdlib.h>

#include "manage_pvt.h"

static const char *const type_names[] = {"", "str", "u32", "u64", "s32"};

void mg_value_print(struct mg_out *out, const struct mg_value *v)
{
	if (v->type == MG_STR)
		mg_puts(out, v->str);
	else if (v->type == MG_S32)
		mg_printf(out, "%" PRId32, v->s32);
	else if (v->type != MG_NONE)
		mg_printf(out, "%" PRIu64, v->u64);
}

void mg_value_csv(struct mg_out *out, const struct mg_value *v)
{
	if (v->type != MG_STR || !strpbrk(v->str, ",\"\r\n")) {
		mg_value_print(out, v);
		return;
	}
	mg_puts(out, "\"");
	for (const char *p = v->str; *p; p++)
		mg_printf(out, *p == '"' ? "\"\"" : "%c", *p);
	mg_puts(out, "\"");
}

void mg_cell_typed(struct mg_out *out, const struct mg_cell *c, bool desc)
{
	if (c->object)
		mg_printf(out, "%c.%u.%u.", c->object, c->iid, c->sid);
	mg_printf(out, "%u.%s.1:%s:%s:", c->position, c->name, c->tags, type_names[c->value.type]);
	mg_value_print(out, &c->value);
	if (desc)
		mg_printf(out, ":\"%s\"", c->text);
	mg_puts(out, "\n");
}

static const char *tag_name(int place, char tag)
{
	static const struct {
		int place;
		char tag;
		const char *name;
	} names[] = {{0, 'M', "Metric"}, {0, 'S', "Status"}, {0, 'K', "Key"}, {0, 'C', "Config"},
		{0, 'P', "Product"}, {1, 'A', "Age"}, {1, 'a', "Avg"}, {1, 'C', "Counter"},
		{1, 'D', "Duration"}, {1, 'G', "Gauge"}, {1, 'L', "Limit"}, {1, 'M', "Max"},
		{1, 'm', "Min"}, {1, 'N', "Name"}, {1, 'O', "Output"}, {1, 'R', "Rate"},
		{1, 'T', "Time"}, {2, 'C', "Cluster"}, {2, 'P', "Process"}, {2, 'S', "Service"},
		{2, 's', "System"}};

	for (uint32_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].place == place && names[i].tag == tag)
			return names[i].name;
	return "";
}

static const char *object_name(char object)
{
	return object == 'F'   ? "Frontend"
	       : object == 'B' ? "Backend"
	       : object == 'S' ? "Server"
			       : "Listener";
}

static json_t *json_text(const char *text)
{
	json_t *json = json_string(text);
	char *copy;

	if (json || !(copy = strdup(text)))
		return json;
	for (char *p = copy; *p; p++)
		if (*p & 0x80)
			*p = '?';
	json = json_string(copy);
	free(copy);
	return json;
}

static json_t *json_value(const struct mg_value *v)
{
	if (v->type == MG_STR)
		return json_text(v->str);
	return json_integer(v->type == MG_S32 ? v->s32 : (json_int_t)v->u64);
}

void mg_cell_json(struct mg_out *out, const struct mg_cell *c)
{
	json_t *json = json_object();
	char *text;

	if (c->object) {
		json_object_set_new(json, "objType", json_string(object_name(c->object)));
		json_object_set_new(json, "proxyId", json_integer(c->iid));
		json_object_set_new(json, "id", json_integer(c->sid));
	}
	json_object_set_new(json, "field",
		json_pack("{s:I,s:s}", "pos", (json_int_t)c->position, "name", c->name));
	json_object_set_new(json, "processNum", json_integer(1));
	json_object_set_new(json, "tags",
		json_pack("{s:s,s:s,s:s}", "origin", tag_name(0, c->tags[0]), "nature",
			tag_name(1, c->tags[1]), "scope", tag_name(2, c->tags[2])));
	json_object_set_new(json, "value",
		json_pack("{s:s,s:o}", "type", type_names[c->value.type], "value",
			json_value(&c->value)));
	text = json_dumps(json, JSON_COMPACT);
	if (text)
		mg_puts(out, text);
	else
		out->failed = true;
	free(text);
	json_decref(json);
}
