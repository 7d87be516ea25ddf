/*
 * A whole filter in C: the contract `gavel:rules/filtering@1.0.0` behind two functions and one macro.
 *
 *     #include "gavel_filter.h"
 *
 *     static const char *configure(gavel_json settings, const void **state) {
 *         static int64_t age_max;
 *         if (!gavel_json_integer(settings, &age_max)) return "the highest age is a whole number";
 *         *state = &age_max;
 *         return GAVEL_OK;
 *     }
 *
 *     static gavel_verdict evaluate(const gavel_frame *lead, const void *state) {
 *         const int64_t *age_max = state;
 *         int64_t age;
 *         if (!gavel_get_integer(lead, gavel_field("age"), &age)) return gavel_no("no-age");
 *         return age <= *age_max ? gavel_bid(17500000) : gavel_no("too-old");
 *     }
 *
 *     GAVEL_FILTER("the highest age, such as 24", configure, evaluate, {"age", GAVEL_INTEGER})
 *
 * (One campaign's state in a `static` serves one campaign; `gavel_alloc` gives each its own.)
 *
 * `gavel module build FOLDER` compiles every .c file of a folder with clang and makes the component; this file is at hand
 * there without a path. The functions are pure: there is no clock, no network, and no memory of earlier leads, because
 * every call of `evaluate` starts from what `configure` left.
 */
#ifndef GAVEL_FILTER_H
#define GAVEL_FILTER_H

#include <stddef.h>

#include "gavel_frame.h"

/* What a call takes its memory from, in bytes: a frame and the verdicts of some hundred campaigns. */
#define GAVEL_SCRATCH_BYTES (32 * 1024)
#define GAVEL_PAGE_BYTES (64 * 1024)

/* Where memory comes from. `configure` takes new pages, so that what it leaves lies apart and is only read later; a
 * call takes the static region first, which costs nothing, and begins on a page of its own, for what a call writes is put
 * back after it page by page. Nothing is ever given back: the instance ends with the call. */
static struct {
    _Alignas(4096) uintptr_t next;
    uintptr_t end;
    bool evaluating;
    _Alignas(16) uint8_t scratch[GAVEL_SCRATCH_BYTES];
} gavel_arena;

/* Returns memory that is aligned to 8 bytes and holds zeros. There is always some: without, the call is forfeited. */
static void *gavel_alloc(size_t bytes) {
    if (bytes > UINT32_MAX / 2) __builtin_trap();
    bytes = (bytes + 7) & ~(size_t)7;
    if (bytes > gavel_arena.end - gavel_arena.next) {
        if (gavel_arena.evaluating && !gavel_arena.next && bytes <= GAVEL_SCRATCH_BYTES) {
            gavel_arena.next = (uintptr_t)gavel_arena.scratch;
            gavel_arena.end = gavel_arena.next + GAVEL_SCRATCH_BYTES;
        } else {
            size_t pages = (bytes + GAVEL_PAGE_BYTES - 1) / GAVEL_PAGE_BYTES;
            size_t before = __builtin_wasm_memory_grow(0, pages);
            if (before == SIZE_MAX) __builtin_trap();
            /* Pages that follow the last ones make them longer. */
            if (before * GAVEL_PAGE_BYTES != gavel_arena.end) gavel_arena.next = before * GAVEL_PAGE_BYTES;
            gavel_arena.end = (before + pages) * GAVEL_PAGE_BYTES;
        }
    }
    void *block = (void *)gavel_arena.next;
    gavel_arena.next += bytes;
    return block;
}

#include "gavel_json.h"

/* One campaign's answer to one lead. */
typedef struct {
    const char *reason; /* NULL if the lead is wanted */
    bool priced;
    int64_t price;
} gavel_verdict;

/* Not wanted. The reason is a code that the buyer reads in the receipt, such as `age-outside-band`: 1 to 64 lower-case
 * letters, digits and `-`. */
static inline gavel_verdict gavel_no(const char *reason) {
    return (gavel_verdict){.reason = reason};
}

/* Wanted, at this price in millionths of the currency. */
static inline gavel_verdict gavel_bid(int64_t micros) {
    return (gavel_verdict){.priced = true, .price = micros};
}

/* Wanted, at the price that the campaign declares. */
static inline gavel_verdict gavel_bid_campaign_price(void) {
    return (gavel_verdict){.reason = NULL};
}

/* Settings are in order. */
#define GAVEL_OK NULL

/* Reads one campaign's settings and leaves in `state` whatever `evaluate` wants to see again. Returns GAVEL_OK, or what
 * is wrong and what would be right, for the person who filled them in: at most 1,000 bytes, with a zero at the end. */
typedef const char *gavel_configure_function(gavel_json settings, const void **state);

/* Judges one lead for one campaign. */
typedef gavel_verdict gavel_evaluate_function(const gavel_frame *lead, const void *state);

/* A field that the filter reads: its name in the vertical's schema, and the kind that the filter takes it for. */
typedef struct {
    const char *name;
    gavel_kind kind;
} gavel_need;

/* ---- what crosses the border, as the canonical ABI lays it out ---- */

typedef struct {
    const void *at;
    uint32_t length;
} gavel_wire_list;

typedef struct {
    gavel_wire_list name;
    uint8_t kind;
} gavel_wire_need;

typedef struct {
    gavel_wire_list needs, settings;
} gavel_wire_description;

typedef struct {
    uint8_t refused;
    uint32_t slot;
    gavel_wire_list message;
} gavel_wire_configured;

typedef struct {
    uint8_t yes;
    _Alignas(8) union {
        gavel_wire_list reason;
        struct {
            uint8_t priced;
            _Alignas(8) int64_t price;
        };
    };
} gavel_wire_verdict;

_Static_assert(sizeof(gavel_wire_need) == 12 && sizeof(gavel_wire_description) == 16, "the contract's layout");
_Static_assert(sizeof(gavel_wire_configured) == 16 && sizeof(gavel_wire_verdict) == 24, "the contract's layout");

static gavel_wire_list gavel_wire_text(const char *text) {
    uint32_t length = 0;
    while (text[length]) length++;
    return (gavel_wire_list){text, length};
}

static const void **gavel_states;
static uint32_t gavel_states_count;

static gavel_wire_description *gavel_describe(const char *settings, const gavel_need *needs, uint32_t count) {
    gavel_wire_need *list = gavel_alloc(count * sizeof *list);
    for (uint32_t at = 0; at < count; at++)
        list[at] = (gavel_wire_need){gavel_wire_text(needs[at].name), (uint8_t)needs[at].kind};
    gavel_wire_description *description = gavel_alloc(sizeof *description);
    *description = (gavel_wire_description){{list, count}, gavel_wire_text(settings)};
    return description;
}

static gavel_wire_configured *gavel_configure(const gavel_wire_list *settings, uint32_t count,
                                              gavel_configure_function *configure) {
    gavel_wire_configured *configured = gavel_alloc(sizeof *configured);
    gavel_states = gavel_alloc(count * sizeof *gavel_states);
    gavel_states_count = count;
    for (uint32_t slot = 0; slot < count; slot++) {
        gavel_json json;
        const char *fault = "the settings are not JSON";
        if (gavel_json_open(&json, settings[slot].at, settings[slot].length)) fault = configure(json, &gavel_states[slot]);
        if (fault) {
            *configured = (gavel_wire_configured){1, slot, gavel_wire_text(fault)};
            return configured;
        }
    }
    gavel_arena.evaluating = true;
    gavel_arena.next = gavel_arena.end = 0;
    return configured;
}

static gavel_wire_list *gavel_evaluate(const uint64_t *frame, uint32_t words, const uint32_t *slots, uint32_t count,
                                       gavel_evaluate_function *evaluate) {
    gavel_frame lead;
    if (!gavel_frame_open(&lead, frame, words)) __builtin_trap();
    gavel_wire_list *answer = gavel_alloc(sizeof *answer);
    gavel_wire_verdict *verdicts = gavel_alloc(count * sizeof *verdicts);
    for (uint32_t at = 0; at < count; at++) {
        if (slots[at] >= gavel_states_count) __builtin_trap();
        gavel_verdict verdict = evaluate(&lead, gavel_states[slots[at]]);
        if (verdict.reason) {
            verdicts[at].reason = gavel_wire_text(verdict.reason);
        } else {
            verdicts[at].yes = 1;
            verdicts[at].priced = verdict.priced;
            verdicts[at].price = verdict.price;
        }
    }
    *answer = (gavel_wire_list){verdicts, count};
    return answer;
}

/* Called by the exchange where it puts the arguments of a call. */
__attribute__((export_name("cabi_realloc"))) void *gavel_realloc(void *old, size_t old_bytes, size_t align, size_t bytes) {
    if (align > 8) __builtin_trap();
    void *block = gavel_alloc(bytes);
    __builtin_memcpy(block, old, old_bytes < bytes ? old_bytes : bytes);
    return block;
}

/* Makes a filter the module's one export: what settings look like, the two functions, and every field that is read. It
 * stands once in a module, and only the file in which it stands includes this one. */
#define GAVEL_FILTER(SETTINGS, CONFIGURE, EVALUATE, ...)                                                                \
    static const gavel_need gavel_needs[] = {__VA_ARGS__};                                                              \
    __attribute__((export_name("gavel:rules/filtering@1.0.0#describe"))) void *gavel_exported_describe(void) {          \
        return gavel_describe(SETTINGS, gavel_needs, sizeof gavel_needs / sizeof *gavel_needs);                         \
    }                                                                                                                   \
    __attribute__((export_name("gavel:rules/filtering@1.0.0#configure"))) void *gavel_exported_configure(               \
        const gavel_wire_list *settings, uint32_t count) {                                                              \
        return gavel_configure(settings, count, CONFIGURE);                                                             \
    }                                                                                                                   \
    __attribute__((export_name("gavel:rules/filtering@1.0.0#evaluate"))) void *gavel_exported_evaluate(                 \
        const uint64_t *frame, uint32_t words, const uint32_t *slots, uint32_t count) {                                 \
        return gavel_evaluate(frame, words, slots, count, EVALUATE);                                                    \
    }

#endif
