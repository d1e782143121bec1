#pragma once

#include "events/job_traces.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace tessera {

/// What keeps the trace from being one without a gap: each span that has parts is covered by them,
/// no part leaves it, no two share a name. Empty: nothing.
inline std::string fault_of(const JobTrace& trace) {
    const std::vector<Span>& spans = trace.trace.spans;
    const auto end_of = [&](const Span& span) { return span.end.value_or(trace.until); };
    const auto words = [&](const Span& span) {
        return fmt::format(
            "{} [{}, {}] µs",
            span.name,
            (span.begin - trace.began).count(),
            (end_of(span) - trace.began).count()
        );
    };
    std::set<std::uint64_t> names;
    for (const Span& span : spans) {
        if (span.id == SpanId() || !names.insert(span.id.value).second) {
            return words(span) + " has no name of its own";
        }
        if (end_of(span) < span.begin) {
            return words(span) + " ends before it begins";
        }
        std::vector<const Span*> parts;
        for (const Span& part : spans) {
            if (part.parent == span.id) {
                parts.push_back(&part);
            }
        }
        if (parts.empty() && span.name != "job") {
            continue;
        }
        std::ranges::sort(parts, {}, &Span::begin);
        SpanTime covered = span.begin;
        for (const Span* part : parts) {
            if (part->begin < span.begin || end_of(*part) > end_of(span)) {
                return fmt::format("{} leaves {}", words(*part), words(span));
            }
            if (part->begin > covered) {
                return fmt::format("a gap in {} before {}", words(span), words(*part));
            }
            covered = std::max(covered, end_of(*part));
        }
        if (covered < end_of(span)) {
            return "a gap at the end of " + words(span);
        }
    }
    return spans.empty() ? "no span at all" : "";
}

/// Its names in order, each as far in as it has parents: "job", " submit", " render", "  wait".
inline std::vector<std::string> outline(const JobTrace& trace) {
    std::vector<std::string> lines;
    const std::vector<Span>& spans = trace.trace.spans;
    for (const Span& span : spans) {
        std::string indent;
        const Span* inner = &span;
        while (true) {
            const auto parent = std::ranges::find(spans, inner->parent, &Span::id);
            if (parent == spans.end()) {
                break;
            }
            indent += " ";
            inner = &*parent;
        }
        lines.push_back(indent + span.name);
    }
    return lines;
}

}  // namespace tessera
