/* Buys in a declared list of ZIP codes: `rules/zip-list`, in C. */

#include "gavel_filter.h"

/* One bit for each number of five digits. */
typedef struct {
    uint8_t wanted[100000 / 8];
} zip_list;

static bool read_zip(gavel_text text, uint32_t *zip) {
    *zip = 0;
    for (uint32_t at = 0; at < text.length; at++) {
        if (text.bytes[at] < '0' || text.bytes[at] > '9') return false;
        *zip = *zip * 10 + (uint32_t)(text.bytes[at] - '0');
    }
    return text.length == 5;
}

static const char *configure(gavel_json settings, const void **state) {
    zip_list *list = gavel_alloc(sizeof *list);
    gavel_json member = {0}, element;
    gavel_text name, text = {0};
    uint32_t zip;
    bool found = false;
    while (gavel_json_each(settings, &name, &member)) {
        if (!gavel_is(name, "zips")) return gavel_quote("unknown field `", name, "`, expected `zips`");
        if (!gavel_json_is_list(member)) return "`zips` is a list of ZIP codes";
        for (bool more = gavel_json_first(member, &element); more; more = gavel_json_next(&element)) {
            if (!gavel_json_text(element, &text)) return "a ZIP code is a text of five digits";
            if (!read_zip(text, &zip)) return gavel_quote("`", text, "` is not a ZIP code of five digits");
            list->wanted[zip / 8] |= (uint8_t)(1 << zip % 8);
        }
        found = true;
    }
    *state = list;
    return found ? GAVEL_OK : "`zips` is missing";
}

static gavel_verdict evaluate(const gavel_frame *lead, const void *state) {
    const zip_list *list = state;
    gavel_text text;
    uint32_t zip;
    if (!gavel_get_text(lead, gavel_field("zip"), &text) || !read_zip(text, &zip)) return gavel_no("no-zip");
    if (list->wanted[zip / 8] >> zip % 8 & 1) return gavel_bid_campaign_price();
    return gavel_no("zip-not-on-list");
}

GAVEL_FILTER("{\"zips\": [\"90001\", \"10025\"]}: five digits each", configure, evaluate, {"zip", GAVEL_TEXT})
