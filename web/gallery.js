// Which pictures are finished? Newest first, older ones page by page.

import { getJob, sentence } from "./api.js";
import { byId, make, setText } from "./dom.js";
import { History } from "./history.js";
import { titleOf } from "./job_card.js";
import { picturesOf } from "./jobs.js";
import { showPicture } from "./pictures.js";
import { onLanguage, t } from "./words.js";

const PAGE = 24; // pictures, about

/** The history's next pictures, without the jobs that are `shown` already. */
async function nextPage(history, shown) {
    const jobs = await history.next(PAGE);
    const known = new Set(shown.map((picture) => picture.job));
    const whole = await Promise.all(
        jobs
            .filter((job) => !known.has(job.id))
            // Of a job that ended early, a list does not say which pictures there are.
            .map((job) => (job.state === "done" ? job : getJob(job.id))),
    );
    return whole.flatMap((job) => picturesOf(job).reverse());
}

export class Gallery {
    /** What is shown, in order: as picturesOf. */
    pictures = [];
    #open;
    #history = new History();
    #isLoaded = false;

    /** `open(pictures, index)` shows one large. */
    constructor(open) {
        this.#open = open;
        byId("older").addEventListener("click", () => this.#showOlder());
        onLanguage(() => this.#label());
    }

    /** From the beginning. */
    async reload() {
        const history = new History();
        this.#history = history;
        try {
            const pictures = await nextPage(history, []);
            if (history === this.#history) {
                this.pictures = pictures;
                this.#isLoaded = true;
                byId("pictures").replaceChildren(...pictures.map((picture) => this.#tile(picture)));
                this.#label();
            }
        } catch (error) {
            this.#fail(error);
        }
    }

    /** The job has just ended: its pictures come first. */
    add(job) {
        const fresh = picturesOf(job)
            .filter((picture) => !this.#has(picture))
            .reverse();
        this.pictures.unshift(...fresh);
        byId("pictures").prepend(...fresh.map((picture) => this.#tile(picture)));
        this.#label();
    }

    remove(job) {
        this.pictures = this.pictures.filter((picture) => picture.job !== job);
        for (const tile of [...byId("pictures").children]) {
            if (tile.dataset.job === job) {
                tile.remove();
            }
        }
        this.#label();
    }

    #has({ job, unit }) {
        return this.pictures.some((picture) => picture.job === job && picture.unit === unit);
    }

    async #showOlder() {
        const button = byId("older");
        button.disabled = true;
        try {
            const pictures = await nextPage(this.#history, this.pictures);
            this.pictures.push(...pictures);
            const tiles = pictures.map((picture) => this.#tile(picture));
            byId("pictures").append(...tiles);
            tiles[0]?.querySelector("button").focus();
            this.#label();
        } catch (error) {
            this.#fail(error);
        }
        button.disabled = false;
    }

    #tile(picture) {
        const image = make("img", { alt: "" });
        const button = make(
            "button",
            {
                type: "button",
                onclick: () => this.#open(this.pictures, this.pictures.indexOf(picture)),
            },
            image,
        );
        const tile = make("li", {}, button);
        tile.dataset.job = picture.job;
        tile.style.setProperty("--aspect", picture.width / picture.height);
        image.addEventListener("error", () => tile.classList.add("gone"));
        showPicture(image, picture.href, { lazy: true });
        return tile;
    }

    #label() {
        const buttons = byId("pictures").querySelectorAll("button");
        this.pictures.forEach((picture, index) => {
            buttons[index]?.setAttribute(
                "aria-label",
                t("openPicture", { prompt: titleOf(picture.spec) }),
            );
        });
        byId("gallery-empty").hidden = !this.#isLoaded || this.pictures.length > 0;
        byId("older").hidden = this.#history.isOver || !this.#isLoaded;
        setText(byId("gallery-error"), "");
    }

    #fail(error) {
        setText(byId("gallery-error"), t("galleryFailed", { message: sentence(error) }));
    }
}
