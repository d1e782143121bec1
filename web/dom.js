// How are elements made? From texts, never from markup: prompts are strangers' words.

/** make("p", { class: "muted", hidden: true }, "text", child, …); properties by their DOM names. */
export function make(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
        if (name === "class") {
            element.className = value;
        } else if (name in element) {
            element[name] = value;
        } else {
            element.setAttribute(name, value);
        }
    }
    element.append(...children);
    return element;
}

export function byId(id) {
    return document.getElementById(id);
}

/** Shows the text, or hides the element where there is none. */
export function setText(element, text) {
    if (element.textContent !== (text ?? "")) {
        element.textContent = text ?? "";
    }
    element.hidden = !text;
}
