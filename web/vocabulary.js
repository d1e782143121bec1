// Which chips does a model's vocabulary make? Its lines are written for people:
//   buildings: a red / white / blue / wooden house, cottage or cabin; a tower
//   sky colours: purple, pink (as in "under a purple sky")

/** Splits at the separators that stand in no brackets. */
function splitOutside(text, separators) {
    const parts = [""];
    let depth = 0;
    for (const letter of text) {
        depth += letter === "(" ? 1 : letter === ")" ? -1 : 0;
        if (depth === 0 && separators.includes(letter)) {
            parts.push("");
        } else {
            parts[parts.length - 1] += letter;
        }
    }
    return parts.map((part) => part.trim()).filter(Boolean);
}

/** "a red / white house": "a red house", "a white house"; "cottage or cabin": both. */
function alternatives(words) {
    const parts = words.split(/\s+\/\s+/);
    if (parts.length === 1) {
        return words.split(/\s+or\s+/);
    }
    const first = parts[0].split(/\s+/);
    const last = parts.at(-1).split(/\s+/);
    const before = first.slice(0, -1);
    const after = last.slice(1);
    const choices = [first.at(-1), ...parts.slice(1, -1), last[0]];
    return choices.map((choice) => {
        const start = before.length > 0 ? `${before.join(" ")} ` : "";
        return [withArticle(start, choice), ...after].join(" ");
    });
}

/** "under a " and "orange": "under an orange". */
function withArticle(before, word) {
    return before.replace(/\ban? $/, /^[aeiou]/i.test(word) ? "an " : "a ") + word;
}

/** The example with another word in it: "under an orange sky". */
function inExample(example, word, other) {
    const [before, after] = example.split(word);
    return withArticle(before, other) + after;
}

function parseGroup(line) {
    const colon = line.indexOf(":");
    const chips = [];
    let example = "";
    for (const item of splitOutside(line.slice(colon + 1), ",;")) {
        const note = /^(.*?)\s*\((.*)\)$/.exec(item);
        const asIn = /^as in "(.+)"$/.exec(note?.[2] ?? "");
        example = asIn?.[1] ?? example;
        for (const word of alternatives(note?.[1] ?? item)) {
            chips.push({ word, note: asIn ? "" : (note?.[2] ?? "") });
        }
    }
    const exampleWord = chips.map((chip) => chip.word).find((word) => example.includes(word));
    for (const chip of chips) {
        chip.text = exampleWord ? inExample(example, exampleWord, chip.word) : chip.word;
    }
    return { name: colon < 0 ? "" : line.slice(0, colon).trim(), chips };
}

/** Groups of chips: { name, chips: [{ word, note, text }] }; `text` is what goes into a prompt. */
export function parseVocabulary(lines) {
    return lines.map(parseGroup).filter((group) => group.chips.length > 0);
}

const segments = (prompt) =>
    prompt
        .split(",")
        .map((part) => part.trim())
        .filter(Boolean);

export function contains(prompt, text) {
    return segments(prompt).some((part) => part.toLowerCase() === text.toLowerCase());
}

/** The prompt with the text at its end, or without it where it was there. */
export function toggle(prompt, text) {
    if (contains(prompt, text)) {
        return segments(prompt)
            .filter((part) => part.toLowerCase() !== text.toLowerCase())
            .join(", ");
    }
    const before = prompt.replace(/[\s,]+$/, "");
    return before ? `${before}, ${text}` : text;
}
