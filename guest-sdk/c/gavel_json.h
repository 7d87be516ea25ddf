/*
 * Settings: a small reader of JSON. `gavel_filter.h` includes it.
 *
 * The text is checked once, when it is opened; after that a `gavel_json` is any value in it.
 *
 *     gavel_json zips, zip;
 *     gavel_text text;
 *     if (!gavel_json_member(settings, "zips", &zips)) return "`zips` is missing";
 *     for (bool more = gavel_json_first(zips, &zip); more; more = gavel_json_next(&zip))
 *         if (!gavel_json_text(zip, &text)) return "`zips` is a list of texts";
 */
#ifndef GAVEL_JSON_H
#define GAVEL_JSON_H

#include "gavel_frame.h"

/* How deep lists and objects may lie in each other. */
#define GAVEL_JSON_DEPTH_MAX 32

/* A value in a text that was checked. */
typedef struct {
    const char *at;  /* its first byte */
    const char *end; /* the end of the whole text */
} gavel_json;

static inline const char *gavel_json_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
    return at;
}

static inline bool gavel_json_digit(const char *at, const char *end) {
    return at < end && *at >= '0' && *at <= '9';
}

static inline int gavel_json_hex(char letter) {
    if (letter >= '0' && letter <= '9') return letter - '0';
    if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
    return letter >= 'A' && letter <= 'F' ? letter - 'A' + 10 : -1;
}

/* Returns what follows an escape, whose backslash was before `at`; NULL if there is none here. */
static inline const char *gavel_json_skip_escape(const char *at, const char *end) {
    if (at == end) return 0;
    if (*at == 'u') {
        for (int digit = 1; digit <= 4; digit++)
            if (end - at <= digit || gavel_json_hex(at[digit]) < 0) return 0;
        return at + 5;
    }
    for (const char *known = "\"\\/bfnrt"; *known; known++)
        if (*at == *known) return at + 1;
    return 0;
}

/* Returns what follows a string, a number or a word; NULL if there is none here. */
static inline const char *gavel_json_skip_plain(const char *at, const char *end) {
    static const char *const words[] = {"true", "false", "null"};
    if (at < end && *at == '"') {
        for (at++; at < end && *at != '"';) {
            if ((uint8_t)*at < 0x20) return 0;
            if (*at++ == '\\' && !(at = gavel_json_skip_escape(at, end))) return 0;
        }
        return at < end ? at + 1 : 0;
    }
    for (int word = 0; word < 3; word++) {
        const char *letter = words[word], *to = at;
        while (*letter && to < end && *to == *letter) to++, letter++;
        if (!*letter) return to;
    }
    if (at < end && *at == '-') at++;
    if (!gavel_json_digit(at, end)) return 0;
    bool zero = *at == '0';
    while (gavel_json_digit(at, end)) {
        at++;
        if (zero && gavel_json_digit(at, end)) return 0;
    }
    if (at < end && *at == '.') {
        if (!gavel_json_digit(++at, end)) return 0;
        while (gavel_json_digit(at, end)) at++;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-')) at++;
        if (!gavel_json_digit(at, end)) return 0;
        while (gavel_json_digit(at, end)) at++;
    }
    return at;
}

/* Returns what follows a value; NULL if there is none here. */
static const char *gavel_json_skip(const char *at, const char *end, int depth) {
    at = gavel_json_space(at, end);
    if (at == end || (*at != '[' && *at != '{')) return gavel_json_skip_plain(at, end);
    if (depth == GAVEL_JSON_DEPTH_MAX) return 0;
    bool object = *at == '{';
    char close = object ? '}' : ']';
    at = gavel_json_space(at + 1, end);
    if (at < end && *at == close) return at + 1;
    for (;;) {
        if (object) {
            at = gavel_json_space(at, end);
            if (at == end || *at != '"' || !(at = gavel_json_skip_plain(at, end))) return 0;
            at = gavel_json_space(at, end);
            if (at == end || *at++ != ':') return 0;
        }
        if (!(at = gavel_json_skip(at, end, depth + 1))) return 0;
        at = gavel_json_space(at, end);
        if (at == end) return 0;
        if (*at == close) return at + 1;
        if (*at++ != ',') return 0;
    }
}

/* Checks a text and returns its value. False if it is not JSON. */
static inline bool gavel_json_open(gavel_json *json, const char *text, uint32_t length) {
    const char *end = text + length, *behind = gavel_json_skip(text, end, 0);
    *json = (gavel_json){gavel_json_space(text, end), end};
    return behind && gavel_json_space(behind, end) == end;
}

/* Goes to the first element of a list. False if it is empty, or no list. */
static inline bool gavel_json_first(gavel_json list, gavel_json *element) {
    if (*list.at != '[') return false;
    *element = (gavel_json){gavel_json_space(list.at + 1, list.end), list.end};
    return *element->at != ']';
}

/* Goes from one element to the next. False if there is none. */
static inline bool gavel_json_next(gavel_json *element) {
    const char *behind = gavel_json_space(gavel_json_skip(element->at, element->end, 0), element->end);
    if (*behind != ',') return false;
    element->at = gavel_json_space(behind + 1, element->end);
    return true;
}

/* Reads a list, even an empty one. */
static inline bool gavel_json_is_list(gavel_json json) {
    return *json.at == '[';
}

/* Reads four hexadecimal digits. */
static inline uint32_t gavel_json_unit(const char *digits) {
    uint32_t unit = 0;
    for (int digit = 0; digit < 4; digit++) unit = unit * 16 + (uint32_t)gavel_json_hex(digits[digit]);
    return unit;
}

/* Writes a code point as UTF-8 and returns what follows it. */
static inline char *gavel_json_put(char *to, uint32_t code) {
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    static const uint8_t leads[] = {0, 0xc0, 0xe0, 0xf0};
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    *to++ = (char)(leads[more] | code >> 6 * more);
    while (more-- > 0) *to++ = (char)(0x80 | (code >> 6 * more & 0x3f));
    return to;
}

/* Reads a text. One without escapes is not copied. False if it is another value, or half a letter. */
static inline bool gavel_json_text(gavel_json json, gavel_text *text) {
    if (*json.at != '"') return false;
    const char *from = json.at + 1, *end = gavel_json_skip_plain(json.at, json.end) - 1, *at = from;
    while (at < end && *at != '\\') at++;
    *text = (gavel_text){from, (uint32_t)(end - from)};
    if (at == end) return true;
    char *to = gavel_alloc((size_t)(end - from));
    text->bytes = to;
    while (from < end) {
        if (*from != '\\') {
            *to++ = *from++;
        } else if (from[1] != 'u') {
            static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
            int name = 0;
            while (names[name] != from[1]) name++;
            *to++ = bytes[name];
            from += 2;
        } else {
            uint32_t code = gavel_json_unit(from + 2);
            from += 6;
            if (code >= 0xd800 && code < 0xe000) {
                /* The first half of a pair: the second must follow. */
                if (code >= 0xdc00 || end - from < 6 || from[0] != '\\' || from[1] != 'u') return false;
                uint32_t low = gavel_json_unit(from + 2);
                if (low < 0xdc00 || low > 0xdfff) return false;
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                from += 6;
            }
            to = gavel_json_put(to, code);
        }
    }
    text->length = (uint32_t)(to - text->bytes);
    return true;
}

/* Reads a whole number. False if it is another value, has a fraction or an exponent, or does not fit. */
static inline bool gavel_json_integer(gavel_json json, int64_t *number) {
    const char *at = json.at, *behind = gavel_json_skip_plain(at, json.end);
    bool negative = *at == '-';
    if (negative) at++;
    if (!behind || *at < '0' || *at > '9') return false;
    int64_t sum = 0;
    for (; at < behind; at++) {
        if (*at < '0' || *at > '9') return false;
        int64_t digit = negative ? '0' - *at : *at - '0';
        if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, digit, &sum)) return false;
    }
    *number = sum;
    return true;
}

/* Reads `true` or `false`. */
static inline bool gavel_json_boolean(gavel_json json, bool *yes) {
    *yes = *json.at == 't';
    return *json.at == 't' || *json.at == 'f';
}

/* Goes from member to member of an object: its name, and its value. Begin with `member->at` as NULL. False at the end. */
static inline bool gavel_json_each(gavel_json object, gavel_text *name, gavel_json *member) {
    if (*object.at != '{') return false;
    const char *at = member->at ? gavel_json_skip(member->at, object.end, 0) : object.at + 1;
    at = gavel_json_space(at, object.end);
    if (member->at && *at == ',') at = gavel_json_space(at + 1, object.end);
    if (*at == '}') return false;
    gavel_json key = {at, object.end};
    if (!gavel_json_text(key, name)) return false;
    at = gavel_json_space(gavel_json_skip_plain(at, object.end), object.end);
    *member = (gavel_json){gavel_json_space(at + 1, object.end), object.end};
    return true;
}

/* Finds a member of an object by its name. False if there is none, or it is no object. */
static inline bool gavel_json_member(gavel_json object, const char *wanted, gavel_json *member) {
    gavel_text name;
    *member = (gavel_json){0, object.end};
    while (gavel_json_each(object, &name, member))
        if (gavel_is(name, wanted)) return true;
    return false;
}

/* Puts a text between two others: a message with a zero at its end, such as "`9021` is not a ZIP code". At most the
 * first 100 bytes of the text. */
static inline const char *gavel_quote(const char *before, gavel_text text, const char *after) {
    uint32_t shown = text.length < 100 ? text.length : 100, length = shown;
    /* Not into the middle of a letter. */
    while (shown < text.length && shown > 0 && ((uint8_t)text.bytes[shown] & 0xc0) == 0x80) shown--;
    for (const char *at = before; *at; at++) length++;
    for (const char *at = after; *at; at++) length++;
    char *message = gavel_alloc(length + 1), *to = message;
    while (*before) *to++ = *before++;
    for (uint32_t at = 0; at < shown; at++) *to++ = text.bytes[at];
    while (*after) *to++ = *after++;
    return message;
}

#endif
