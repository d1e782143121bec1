// The model's vocabulary as chips: groups as tabs, words as buttons that put themselves into the
// prompt, or take themselves out of it.

import { byId, make } from "./dom.js";
import { contains, parseVocabulary, toggle } from "./vocabulary.js";
import { gloss, onLanguage } from "./words.js";

const section = byId("vocabulary");
const tabs = byId("word-groups");
const panel = byId("words");
const prompt = byId("prompt");

let groups = [];
let chosen = 0;

export function showVocabulary(lines) {
    groups = parseVocabulary(lines);
    chosen = Math.min(chosen, Math.max(groups.length - 1, 0));
    section.hidden = groups.length === 0;
    show();
}

function show() {
    tabs.replaceChildren(
        ...groups.map((group, index) =>
            make("button", {
                type: "button",
                role: "tab",
                id: `word-group-${index}`,
                "aria-controls": "words",
                textContent: gloss(group.name) || group.name,
                onclick: () => choose(index),
            }),
        ),
    );
    markTabs();
    showWords();
}

function markTabs() {
    [...tabs.children].forEach((tab, index) => {
        tab.setAttribute("aria-selected", index === chosen);
        tab.tabIndex = index === chosen ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `word-group-${chosen}`);
}

function showWords() {
    panel.replaceChildren(...(groups[chosen]?.chips ?? []).map(makeChip));
    markChips();
}

function makeChip(chip) {
    const meaning = gloss(chip.word);
    const button = make(
        "button",
        { type: "button", class: "chip", title: chip.note || chip.text, onclick: () => use(chip) },
        make("span", { lang: "en", textContent: chip.word }),
    );
    if (meaning) {
        button.append(make("span", { class: "gloss", textContent: meaning }));
    }
    return button;
}

function use(chip) {
    prompt.value = toggle(prompt.value, chip.text);
    prompt.dispatchEvent(new Event("input", { bubbles: true }));
}

function markChips() {
    [...panel.children].forEach((button, index) => {
        button.setAttribute(
            "aria-pressed",
            contains(prompt.value, groups[chosen].chips[index].text),
        );
    });
}

function choose(index) {
    chosen = index;
    markTabs();
    showWords();
    tabs.children[index].scrollIntoView({ block: "nearest", inline: "center" });
}

tabs.addEventListener("keydown", (event) => {
    const last = groups.length - 1;
    const next = {
        ArrowRight: chosen === last ? 0 : chosen + 1,
        ArrowLeft: chosen === 0 ? last : chosen - 1,
        Home: 0,
        End: last,
    }[event.key];
    if (next !== undefined) {
        event.preventDefault();
        choose(next);
        tabs.children[next].focus();
    }
});
prompt.addEventListener("input", markChips);
onLanguage(show);
