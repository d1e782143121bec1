// In which language does the page speak, and what does it say?

import en from "./i18n/en.js";
import zh from "./i18n/zh.js";
import zhVocabulary from "./i18n/zh_vocabulary.js";

const MESSAGES = { en, zh };
const GLOSSES = { en: {}, zh: zhVocabulary };
const TAGS = { en: "en", zh: "zh-Hans" };
const KEPT = "tessera-language";

let current = initialLanguage();
const listeners = [];

function initialLanguage() {
    const kept = localStorage.getItem(KEPT);
    if (kept in MESSAGES) {
        return kept;
    }
    return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export function language() {
    return current;
}

export function setLanguage(code) {
    current = code;
    localStorage.setItem(KEPT, code);
    translatePage();
    for (const listener of listeners) {
        listener();
    }
}

/** Called after each change of the language. */
export function onLanguage(listener) {
    listeners.push(listener);
}

/** The message of that name; functions get `values`. */
export function t(name, values = {}) {
    const message = MESSAGES[current][name];
    return typeof message === "function" ? message(values) : message;
}

export function has(name) {
    return name in MESSAGES[current];
}

/** What a word of a model's vocabulary means in the page's language; empty: it says so itself. */
export function gloss(word) {
    return GLOSSES[current][word] ?? "";
}

/** Puts the messages where the page's markup names them. */
export function translatePage() {
    document.documentElement.lang = TAGS[current];
    for (const element of document.querySelectorAll("[data-t]")) {
        element.textContent = t(element.dataset.t);
    }
    for (const element of document.querySelectorAll("[data-t-label]")) {
        element.setAttribute("aria-label", t(element.dataset.tLabel));
    }
    for (const element of document.querySelectorAll("[data-t-placeholder]")) {
        element.placeholder = t(element.dataset.tPlaceholder);
    }
}

/** "12 sec", "3 min", "2 hr": as much as one wants to know of an estimate. */
export function timeText(seconds, digits = 0) {
    const [value, unit] =
        seconds < 90
            ? [seconds, "second"]
            : seconds < 5400
              ? [seconds / 60, "minute"]
              : [seconds / 3600, "hour"];
    const format = new Intl.NumberFormat(TAGS[current], {
        style: "unit",
        unit,
        unitDisplay: "short",
        maximumFractionDigits: digits,
    });
    return format.format(value);
}

export function momentText(time) {
    return new Intl.DateTimeFormat(TAGS[current], {
        dateStyle: "medium",
        timeStyle: "short",
    }).format(new Date(time));
}

export function percentText(fraction) {
    return new Intl.NumberFormat(TAGS[current], { style: "percent" }).format(fraction);
}
