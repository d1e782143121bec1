// What does one picture of a job under way look like? Its preview, a bar, and the step.

import { make } from "./dom.js";
import { pictureFraction, pictureUnit, sizeOf } from "./jobs.js";
import { showPicture } from "./pictures.js";
import { has, percentText, t } from "./words.js";

const STATES = {
    queued: "unitQueued",
    done: "unitDone",
    failed: "unitFailed",
    cancelled: "unitCancelled",
};

function unitText(unit) {
    if (unit.state !== "running") {
        return t(STATES[unit.state]);
    }
    if (has(`stage_${unit.stage}`)) {
        return t(`stage_${unit.stage}`);
    }
    return unit.steps > 0 ? t("step", unit) : percentText(unit.fraction);
}

export class UnitTile {
    #image = make("img", { alt: "", hidden: true });
    #bar = make("progress", { max: 1, value: 0 });
    #text = make("span", { class: "step" });
    #frame;
    #index;
    element;

    constructor(job, index, open) {
        this.#index = index;
        const [width, height] = sizeOf(job.spec);
        this.#frame = make(
            "button",
            { type: "button", class: "frame", disabled: true, onclick: () => open(index) },
            this.#image,
        );
        this.#frame.style.setProperty("--aspect", width / height);
        this.element = make("li", { class: "unit" }, this.#frame, this.#bar, this.#text);
    }

    update(job) {
        const unit = pictureUnit(job, this.#index);
        const label = t("unitLabel", { number: this.#index + 1, all: job.pictures });
        this.element.dataset.state = unit.state;
        this.#bar.value = pictureFraction(job, this.#index);
        this.#bar.setAttribute("aria-label", label);
        this.#text.textContent = unitText(unit);
        this.#frame.setAttribute("aria-label", label);
        this.#frame.disabled = !unit.image;
        if (unit.image && this.#image.dataset.href !== unit.image.href) {
            showPicture(this.#image, unit.image.href);
            this.#image.hidden = false;
        } else if (!unit.image && unit.preview) {
            this.#image.src = `data:image/jpeg;base64,${unit.preview}`;
            this.#image.hidden = false;
        }
    }
}
