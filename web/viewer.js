// One picture, large: how it was made, and what can be done with it.

import { getJob, sentence } from "./api.js";
import { byId, make, setText } from "./dom.js";
import { titleOf } from "./job_card.js";
import { downloadPicture, showPicture } from "./pictures.js";
import { ask } from "./question.js";
import { specOf } from "./recipe.js";
import { momentText, onLanguage, t, timeText } from "./words.js";

const dialog = byId("viewer");
const image = byId("viewer-picture");

export class Viewer {
    #pictures = [];
    #index = 0;
    #job;
    #actions;

    /** `actions`: { again(spec), remove(job) with a promise }. */
    constructor(actions) {
        this.#actions = actions;
        byId("viewer-close").onclick = () => dialog.close();
        byId("viewer-previous").onclick = () => this.#move(-1);
        byId("viewer-next").onclick = () => this.#move(1);
        byId("viewer-again").onclick = () => this.#again();
        byId("viewer-download").onclick = () => this.#try(() => downloadPicture(this.#picture));
        byId("viewer-delete").onclick = () => this.#delete();
        dialog.addEventListener("keydown", (event) => {
            const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
            if (step) {
                event.preventDefault();
                this.#move(step);
            }
        });
        dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
        image.addEventListener("error", () => this.#showMissing(true));
        image.addEventListener("load", () => this.#showMissing(false));
        onLanguage(() => this.#showFacts());
    }

    /** Beginning with the picture of that index; the others stand beside it. */
    open(pictures, index) {
        this.#pictures = [...pictures];
        this.#index = index;
        this.#show();
        dialog.showModal();
    }

    get #picture() {
        return this.#pictures[this.#index];
    }

    #move(step) {
        const index = this.#index + step;
        if (index >= 0 && index < this.#pictures.length) {
            this.#index = index;
            this.#show();
        }
    }

    #showMissing(isMissing) {
        image.hidden = isMissing;
        setText(byId("viewer-missing"), isMissing ? t("pictureGone") : "");
    }

    async #show() {
        const picture = this.#picture;
        image.style.setProperty("--aspect", picture.width / picture.height);
        image.style.setProperty("--width", picture.width);
        image.alt = titleOf(picture.spec);
        showPicture(image, picture.href);
        byId("viewer-previous").disabled = this.#index === 0;
        byId("viewer-next").disabled = this.#index === this.#pictures.length - 1;
        setText(byId("viewer-error"), "");
        this.#job = undefined;
        this.#showFacts();
        await this.#try(async () => {
            const job = await getJob(picture.job);
            if (picture === this.#picture) {
                this.#job = job;
                this.#showFacts();
            }
        });
    }

    #showFacts() {
        if (!this.#picture) {
            return;
        }
        byId("viewer-title").textContent = titleOf(this.#picture.spec);
        const facts = this.#facts().filter(([, value]) => value !== undefined && value !== "");
        byId("viewer-facts").replaceChildren(
            ...facts.map(([name, value]) =>
                make("div", {}, make("dt", {}, t(name)), make("dd", {}, String(value))),
            ),
        );
        byId("viewer-remarks").replaceChildren(
            ...(this.#job?.remarks ?? []).map((remark) => make("li", {}, remark)),
        );
        byId("viewer-again").disabled = !this.#job || this.#job.spec.kind === "upscale";
    }

    #facts() {
        const picture = this.#picture;
        const unit = this.#job?.units[picture.unit];
        const spec = this.#job ? specOf(this.#job, picture.unit) : picture.spec;
        const seconds = (Date.parse(unit?.ended) - Date.parse(unit?.started)) / 1000;
        return [
            ["factNegative", spec.negative_prompt],
            ["model", spec.model],
            ["size", t("pictureSize", picture)],
            ["seed", spec.seed],
            ["steps", spec.steps],
            ["sampler", spec.sampler],
            ["schedule", spec.schedule],
            ["cfg", spec.cfg],
            ["factMade", unit?.ended && momentText(unit.ended)],
            ["factTook", Number.isFinite(seconds) ? timeText(seconds, seconds < 10 ? 1 : 0) : ""],
            ["factJob", picture.job],
        ];
    }

    #again() {
        dialog.close();
        this.#actions.again(specOf(this.#job, this.#picture.unit));
    }

    async #delete() {
        const id = this.#picture.job;
        const count = this.#job?.pictures_done ?? 1;
        const question = count > 1 ? t("deleteMany", { count }) : t("deleteOne");
        if (await ask(question, t("deleteYes", { count }))) {
            await this.#try(async () => {
                await this.#actions.remove(id);
                dialog.close();
                byId("pictures").querySelector("button")?.focus();
            });
        }
    }

    async #try(action) {
        try {
            await action();
        } catch (error) {
            setText(byId("viewer-error"), sentence(error));
        }
    }
}
