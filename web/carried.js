// Which settings of the picture that is made again has the form no control for? They are shown,
// sent along, and can be left out one by one.

import { byId, make } from "./dom.js";
import { onLanguage, t } from "./words.js";

let carried = {};

export function showCarried(settings) {
    carried = settings;
    draw();
}

export function takeCarried() {
    return carried;
}

function draw() {
    const names = Object.keys(carried).filter(
        (name) => name !== "format" || carried.format !== "png",
    );
    byId("carried").hidden = names.length === 0;
    byId("carried-list").replaceChildren(
        ...names.map((name) => {
            const value = carried[name];
            const text = `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`;
            const remove = make(
                "button",
                {
                    type: "button",
                    class: "quiet",
                    "aria-label": t("carriedRemove", { name }),
                    onclick: () => {
                        delete carried[name];
                        draw();
                    },
                },
                "×",
            );
            return make("li", {}, make("span", {}, text), remove);
        }),
    );
}

onLanguage(draw);
