// Which size? The model's own in three shapes, or any other.

import { byId, make } from "./dom.js";
import { onLanguage, t } from "./words.js";

const choices = byId("shape-choices");
const custom = byId("custom-size");
const width = byId("width");
const height = byId("height");

let shapes = [];
let chosen = "shapeSquare";

const toEight = (pixels) => Math.round(pixels / 8) * 8;

/** The model's sizes: its own, and its side by one and a half of it. */
export function showShapes(model) {
    const long = toEight(Math.max(model.width, model.height) * 1.5);
    shapes = [
        { name: "shapeSquare", size: [model.width, model.height] },
        { name: "shapeLandscape", size: [long, model.height] },
        { name: "shapePortrait", size: [model.width, long] },
        { name: "shapeCustom" },
    ];
    width.value ||= model.width;
    height.value ||= model.height;
    draw();
}

/** "192x128"; empty: what stands there is no size. */
export function chosenSize() {
    const [w, h] = shapes.find((shape) => shape.name === chosen)?.size ?? [
        Number(width.value),
        Number(height.value),
    ];
    const isGood = (side) => Number.isInteger(side) && side >= 1;
    return isGood(w) && isGood(h) ? `${w}x${h}` : "";
}

export function chooseSize([w, h]) {
    const same = shapes.find((shape) => shape.size?.[0] === w && shape.size?.[1] === h);
    if (!same) {
        width.value = w;
        height.value = h;
    }
    chosen = same?.name ?? "shapeCustom";
    draw();
}

function draw() {
    custom.hidden = chosen !== "shapeCustom";
    choices.replaceChildren(...shapes.map(makeChoice));
}

function makeChoice({ name, size }) {
    const radio = make("input", {
        type: "radio",
        name: "shape",
        value: name,
        checked: name === chosen,
        onchange: () => {
            chosen = name;
            custom.hidden = chosen !== "shapeCustom";
        },
    });
    const outline = make("span", { class: `outline ${name}`, "aria-hidden": "true" });
    const words = make("span", {}, t(name));
    const label = make("label", {}, radio, outline, words);
    if (size) {
        label.append(make("small", {}, size.join(" × ")));
    }
    return label;
}

onLanguage(draw);
