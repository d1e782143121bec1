// What does a job under way look like?

import { make, setText } from "./dom.js";
import { failureOf, hasEnded, secondsToFinish, secondsToStart } from "./jobs.js";
import { UnitTile } from "./unit_tile.js";
import { t, timeText } from "./words.js";

const MOST_UNITS = 24;

export function titleOf(spec) {
    return spec.kind === "upscale" ? t("enlargement") : spec.prompt || t("noPrompt");
}

const STATES = {
    queued: "stateQueued",
    running: "stateRunning",
    failed: "stateFailed",
    cancelled: "stateCancelled",
};

function stateText(job, now) {
    const parts = [t(STATES[job.state] ?? "stateRunning")];
    if (job.state === "queued" && job.position !== undefined) {
        parts.push(t("queuePosition", { position: job.position }));
    }
    const start = secondsToStart(job, now);
    if (job.state === "queued" && start >= 1) {
        parts.push(t("startsIn", { time: timeText(start) }));
    }
    const finish = secondsToFinish(job, now);
    if (!hasEnded(job) && finish >= 1) {
        parts.push(t("doneIn", { time: timeText(finish) }));
    }
    if (job.pictures > 1) {
        parts.push(t("statePartlyDone", { done: job.pictures_done, all: job.pictures }));
    }
    return parts.join(" · ");
}

export class JobCard {
    #title = make("h3");
    #state = make("p", { class: "state" });
    #note = make("p", { class: "note", hidden: true });
    #remarks = make("ul", { class: "remarks" });
    #units = make("ul", { class: "units" });
    #hidden = make("p", { class: "muted", hidden: true });
    #cancel;
    #retry;
    #dismiss;
    #tiles = [];
    #isBusy = false;
    #actions;
    #id;
    element;

    /** `actions`: { cancel, retry, dismiss, open(job, unit) }, the first two with promises. */
    constructor(job, actions) {
        this.#id = job.id;
        this.#actions = actions;
        const button = (name, action) =>
            make("button", {
                type: "button",
                class: "secondary",
                onclick: () => this.#run(action),
            });
        this.#cancel = button("cancel", actions.cancel);
        this.#retry = button("retry", actions.retry);
        this.#dismiss = button("dismiss", actions.dismiss);
        this.element = make(
            "li",
            { class: "job" },
            make(
                "div",
                { class: "head" },
                make("div", {}, this.#title, this.#state),
                make("div", { class: "actions" }, this.#cancel, this.#retry, this.#dismiss),
            ),
            this.#note,
            this.#remarks,
            this.#units,
            this.#hidden,
        );
    }

    async #run(action) {
        this.#isBusy = true;
        this.#showButtons();
        await action(this.#id);
        this.#isBusy = false;
        this.#showButtons();
    }

    #showButtons() {
        const state = this.element.dataset.state;
        const isOver = state === "failed";
        this.#cancel.hidden = isOver;
        this.#retry.hidden = !isOver;
        this.#dismiss.hidden = !isOver;
        this.#cancel.textContent = t(this.#isBusy ? "cancelling" : "cancel");
        this.#retry.textContent = t("retry");
        this.#dismiss.textContent = t("dismiss");
        for (const button of [this.#cancel, this.#retry, this.#dismiss]) {
            button.disabled = this.#isBusy;
        }
    }

    update(job, now) {
        const title = titleOf(job.spec);
        this.element.dataset.state = job.state;
        this.element.dataset.job = job.id;
        this.#title.textContent = title;
        this.#state.textContent = stateText(job, now);
        this.#cancel.setAttribute("aria-label", t("cancelJob", { prompt: title }));
        this.#showButtons();
        const retrying = job.units?.find((unit) => unit?.retrying)?.retrying;
        setText(
            this.#note,
            job.state === "failed"
                ? failureOf(job)
                : retrying
                  ? t("retrying", { message: retrying })
                  : "",
        );
        if (this.#remarks.children.length !== job.remarks.length) {
            this.#remarks.replaceChildren(...job.remarks.map((remark) => make("li", {}, remark)));
        }
        this.#updateUnits(job);
    }

    #updateUnits(job) {
        const shown = Math.min(job.pictures, MOST_UNITS);
        while (this.#tiles.length < shown) {
            const tile = new UnitTile(job, this.#tiles.length, (index) =>
                this.#actions.open(this.#id, index),
            );
            this.#tiles.push(tile);
            this.#units.append(tile.element);
        }
        this.#units.dataset.count = Math.min(shown, 4);
        for (const tile of this.#tiles) {
            tile.update(job);
        }
        setText(
            this.#hidden,
            job.pictures > shown ? t("moreUnits", { count: job.pictures - shown }) : "",
        );
    }
}
