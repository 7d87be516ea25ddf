/*
 * The lead frame: a lead as the exchange hands it to a filter, read in place.
 *
 * A frame is a list of 64-bit words. `guest-sdk/frame/src/lib.rs` has its layout byte by byte, `guest-sdk/frame/vectors`
 * has frames with their contents. Everything here is checked: a frame that is damaged is not opened, and no offset in it
 * is followed outside.
 *
 *     gavel_frame lead;
 *     gavel_text zip;
 *     int64_t age;
 *     if (!gavel_frame_open(&lead, words, count)) ...
 *     if (gavel_get_text(&lead, gavel_field("zip"), &zip)) ...
 *     if (gavel_get_integer(&lead, gavel_field("age"), &age) && age >= 18) ...
 *
 * It needs nothing but a C11 compiler for a little-endian machine.
 */
#ifndef GAVEL_FRAME_H
#define GAVEL_FRAME_H

#include <stdbool.h>
#include <stdint.h>

/* The largest frame that the exchange sends, in bytes. */
#define GAVEL_FRAME_BYTES_MAX (16 * 1024)

/* The kinds of values; the numbers stand in the frame. */
typedef enum {
    GAVEL_TEXT = 0,    /* UTF-8 text */
    GAVEL_INTEGER = 1, /* a whole number */
    GAVEL_DECIMAL = 2, /* an exact decimal, in millionths: 12.5 is 12500000 */
    GAVEL_BOOLEAN = 3, /* yes or no */
    GAVEL_DATE = 4,    /* days since 1970-01-01 */
    GAVEL_TEXTS = 5    /* several texts */
} gavel_kind;

/* Some bytes of UTF-8. There is no zero at their end. */
typedef struct {
    const char *bytes;
    uint32_t length; /* in bytes */
} gavel_text;

/* The elements of a list of texts; `gavel_texts_at` reads them. */
typedef struct {
    uint32_t first; /* the place of the first element among all spans of the frame */
    uint32_t count;
} gavel_texts;

/* One value. `kind` says which member holds. */
typedef struct {
    gavel_kind kind;
    union {
        gavel_text text;
        int64_t number; /* an integer, or a decimal's millionths */
        bool boolean;
        int32_t date;
        gavel_texts texts;
    };
} gavel_value;

/* An open frame. Only the functions here look inside. */
typedef struct {
    const uint8_t *texts;
    const uint8_t *spans;
    const uint8_t *fields;
    uint32_t texts_length; /* in bytes */
    uint32_t spans_count;
    uint32_t fields_count;
} gavel_frame;

/* A field's id in a frame: the 32-bit FNV-1a hash of its name. The compiler computes it for a literal. */
static inline uint32_t gavel_field(const char *name) {
    uint32_t hash = 0x811c9dc5u;
    for (; *name; name++) hash = (hash ^ (uint8_t)*name) * 0x01000193u;
    return hash;
}

static inline uint32_t gavel_u32_at(const uint8_t *at) {
    uint32_t number;
    __builtin_memcpy(&number, at, sizeof number);
    return number;
}

static inline int64_t gavel_i64_at(const uint8_t *at) {
    int64_t number;
    __builtin_memcpy(&number, at, sizeof number);
    return number;
}

/* Follows the list whose distance stands at `place`, with its number of entries behind it. */
static inline bool gavel_list_at(const uint8_t *frame, uint32_t length, uint32_t place, uint32_t entry_bytes,
                                 const uint8_t **list, uint32_t *count) {
    int64_t from = (int64_t)place + (int32_t)gavel_u32_at(frame + place);
    *count = gavel_u32_at(frame + place + 4);
    uint64_t bytes = (uint64_t)*count * entry_bytes;
    if (from < 0 || from > (int64_t)length || bytes > (uint64_t)length - (uint64_t)from) return false;
    *list = frame + from;
    return true;
}

/* Checks a frame and opens it. Copies nothing. False if the words are not a whole frame of this layout. */
static inline bool gavel_frame_open(gavel_frame *frame, const uint64_t *words, uint32_t count) {
    const uint8_t *bytes = (const uint8_t *)words;
    if (count < 4 || count > UINT32_MAX / 8) return false;
    uint32_t length = count * 8, root = length - 32;
    if (gavel_i64_at(bytes + root) != 0x3130464c45564147) return false; /* "GAVELF01" */
    return gavel_list_at(bytes, length, root + 8, 1, &frame->texts, &frame->texts_length)
        && gavel_list_at(bytes, length, root + 16, 8, &frame->spans, &frame->spans_count)
        && gavel_list_at(bytes, length, root + 24, 16, &frame->fields, &frame->fields_count);
}

static inline bool gavel_text_of(const gavel_frame *frame, uint32_t offset, uint32_t length, gavel_text *text) {
    if (offset > frame->texts_length || length > frame->texts_length - offset) return false;
    text->bytes = (const char *)frame->texts + offset;
    text->length = length;
    return true;
}

/* Reads the field at a place in the frame, from 0 to `fields_count - 1`, with its id. False if it is damaged or of a kind
 * that is newer than this file. */
static inline bool gavel_field_at(const gavel_frame *frame, uint32_t place, uint32_t *id, gavel_value *value) {
    if (place >= frame->fields_count) return false;
    const uint8_t *field = frame->fields + place * 16;
    int64_t raw = gavel_i64_at(field);
    uint32_t low = (uint32_t)raw, high = (uint32_t)((uint64_t)raw >> 32), kind = gavel_u32_at(field + 12);
    *id = gavel_u32_at(field + 8);
    value->kind = (gavel_kind)kind;
    switch (kind) {
    case GAVEL_TEXT:
        return gavel_text_of(frame, low, high, &value->text);
    case GAVEL_INTEGER:
    case GAVEL_DECIMAL:
        value->number = raw;
        return true;
    case GAVEL_BOOLEAN:
        value->boolean = raw != 0;
        return true;
    case GAVEL_DATE:
        value->date = (int32_t)raw;
        return raw == (int32_t)raw;
    case GAVEL_TEXTS:
        value->texts.first = low;
        value->texts.count = high;
        return low <= frame->spans_count && high <= frame->spans_count - low;
    default:
        return false;
    }
}

/* Finds a field by its id. False if the lead has none. */
static inline bool gavel_get(const gavel_frame *frame, uint32_t id, gavel_value *value) {
    uint32_t from = 0, to = frame->fields_count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2, found = gavel_u32_at(frame->fields + middle * 16 + 8);
        if (found == id) return gavel_field_at(frame, middle, &found, value);
        if (found < id) from = middle + 1;
        else to = middle;
    }
    return false;
}

/* Reads an element of a list of texts, from 0 to `count - 1`. */
static inline bool gavel_texts_at(const gavel_frame *frame, gavel_texts texts, uint32_t index, gavel_text *text) {
    if (index >= texts.count) return false;
    const uint8_t *span = frame->spans + (texts.first + index) * 8;
    return gavel_text_of(frame, gavel_u32_at(span), gavel_u32_at(span + 4), text);
}

/* Read a field that is of this kind. False if the lead has none, or one of another kind. */

static inline bool gavel_get_text(const gavel_frame *frame, uint32_t id, gavel_text *text) {
    gavel_value value;
    if (!gavel_get(frame, id, &value) || value.kind != GAVEL_TEXT) return false;
    *text = value.text;
    return true;
}

static inline bool gavel_get_integer(const gavel_frame *frame, uint32_t id, int64_t *number) {
    gavel_value value;
    if (!gavel_get(frame, id, &value) || value.kind != GAVEL_INTEGER) return false;
    *number = value.number;
    return true;
}

/* In millionths. */
static inline bool gavel_get_decimal(const gavel_frame *frame, uint32_t id, int64_t *millionths) {
    gavel_value value;
    if (!gavel_get(frame, id, &value) || value.kind != GAVEL_DECIMAL) return false;
    *millionths = value.number;
    return true;
}

static inline bool gavel_get_boolean(const gavel_frame *frame, uint32_t id, bool *yes) {
    gavel_value value;
    if (!gavel_get(frame, id, &value) || value.kind != GAVEL_BOOLEAN) return false;
    *yes = value.boolean;
    return true;
}

/* In days since 1970-01-01. */
static inline bool gavel_get_date(const gavel_frame *frame, uint32_t id, int32_t *days) {
    gavel_value value;
    if (!gavel_get(frame, id, &value) || value.kind != GAVEL_DATE) return false;
    *days = value.date;
    return true;
}

static inline bool gavel_get_texts(const gavel_frame *frame, uint32_t id, gavel_texts *texts) {
    gavel_value value;
    if (!gavel_get(frame, id, &value) || value.kind != GAVEL_TEXTS) return false;
    *texts = value.texts;
    return true;
}

/* Says whether a text is this literal. */
static inline bool gavel_is(gavel_text text, const char *literal) {
    uint32_t at = 0;
    for (; at < text.length && literal[at]; at++)
        if (text.bytes[at] != literal[at]) return false;
    return at == text.length && !literal[at];
}

#endif
