// What is under way? One card for each job, redrawn when something has changed.

import { byId, setText } from "./dom.js";
import { JobCard } from "./job_card.js";
import { t } from "./words.js";

const MOST_CARDS = 20;
const TICK = 1000; // milliseconds; estimates run down

export class WorkView {
    #cards = new Map();
    #jobs = () => [];
    #actions;
    #isDrawing = false;

    /** `jobs()` gives what there is to show. */
    constructor(jobs, actions) {
        this.#jobs = jobs;
        this.#actions = actions;
        setInterval(() => this.#cards.size > 0 && this.draw(), TICK);
    }

    /** Soon, once for all changes until then. */
    draw() {
        if (!this.#isDrawing) {
            this.#isDrawing = true;
            requestAnimationFrame(() => {
                this.#isDrawing = false;
                this.#drawNow();
            });
        }
    }

    /** Brings what is under way into the window, where the page is one column. */
    reveal() {
        requestAnimationFrame(() => {
            this.#drawNow();
            byId("work").scrollIntoView({ block: "nearest" });
        });
    }

    #drawNow() {
        const all = this.#jobs();
        const jobs = all.slice(0, MOST_CARDS);
        const list = byId("jobs");
        const ids = new Set(jobs.map((job) => job.id));
        for (const [id, card] of this.#cards) {
            if (!ids.has(id)) {
                if (card.element.contains(document.activeElement)) {
                    byId("submit").focus({ preventScroll: true });
                }
                card.element.remove();
                this.#cards.delete(id);
            }
        }
        jobs.forEach((job, index) => {
            if (!this.#cards.has(job.id)) {
                this.#cards.set(job.id, new JobCard(job, this.#actions));
            }
            const card = this.#cards.get(job.id);
            card.update(job, Date.now());
            // What is in place stays there: to move an element takes the focus from it.
            if (list.children[index] !== card.element) {
                list.insertBefore(card.element, list.children[index] ?? null);
            }
        });
        byId("work").hidden = jobs.length === 0;
        const more = all.length - jobs.length;
        setText(byId("more-jobs"), more > 0 ? t("moreJobs", { count: more }) : "");
    }
}
