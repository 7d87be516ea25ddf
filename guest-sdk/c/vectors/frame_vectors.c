/* Reads all of a frame and bids a sum over it, so that a test can compare what it read with what was written.
 *
 * Settings are a list of names: those fields are looked up, in that order. Without names, all fields are read in the
 * order in which they lie. */

#include "gavel_filter.h"

typedef struct {
    uint32_t count;
    uint32_t ids[];
} names;

static const char *configure(gavel_json settings, const void **state) {
    gavel_json element;
    gavel_text text;
    uint32_t count = 0;
    for (bool more = gavel_json_first(settings, &element); more; more = gavel_json_next(&element)) count++;
    names *list = gavel_alloc(sizeof *list + count * sizeof *list->ids);
    for (bool more = gavel_json_first(settings, &element); more; more = gavel_json_next(&element)) {
        if (!gavel_json_text(element, &text)) return "a name is a text";
        uint32_t hash = gavel_field("");
        for (uint32_t at = 0; at < text.length; at++) hash = (hash ^ (uint8_t)text.bytes[at]) * 0x01000193u;
        list->ids[list->count++] = hash;
    }
    *state = list;
    return GAVEL_OK;
}

/* The 64-bit FNV-1a hash, gone on with eight bytes. */
static void add(uint64_t *sum, uint64_t number) {
    for (int at = 0; at < 8; at++) *sum = (*sum ^ (number >> at * 8 & 0xff)) * 0x100000001b3u;
}

static void add_text(uint64_t *sum, gavel_text text) {
    add(sum, text.length);
    for (uint32_t at = 0; at < text.length; at++) add(sum, (uint8_t)text.bytes[at]);
}

static void add_value(uint64_t *sum, const gavel_frame *lead, uint32_t id, gavel_value value) {
    gavel_text text;
    add(sum, id);
    add(sum, value.kind);
    switch (value.kind) {
    case GAVEL_TEXT: add_text(sum, value.text); break;
    case GAVEL_INTEGER:
    case GAVEL_DECIMAL: add(sum, (uint64_t)value.number); break;
    case GAVEL_BOOLEAN: add(sum, value.boolean); break;
    case GAVEL_DATE: add(sum, (uint64_t)(int64_t)value.date); break;
    case GAVEL_TEXTS:
        for (uint32_t at = 0; at < value.texts.count; at++)
            if (gavel_texts_at(lead, value.texts, at, &text)) add_text(sum, text);
        break;
    }
}

static gavel_verdict evaluate(const gavel_frame *lead, const void *state) {
    const names *list = state;
    uint64_t sum = 0xcbf29ce484222325u;
    gavel_value value;
    uint32_t id;
    if (!list->count)
        for (uint32_t at = 0; at < lead->fields_count; at++)
            if (gavel_field_at(lead, at, &id, &value)) add_value(&sum, lead, id, value);
    for (uint32_t at = 0; at < list->count; at++) {
        if (gavel_get(lead, list->ids[at], &value)) add_value(&sum, lead, list->ids[at], value);
        else add(&sum, 0);
    }
    return gavel_bid((int64_t)sum);
}

GAVEL_FILTER("[\"zip\", \"age\"]: names of fields, or none", configure, evaluate, {"zip", GAVEL_TEXT})
