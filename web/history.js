// Which jobs have pictures to show? The lists of ended jobs, merged, newest first.

import { listJobs } from "./api.js";

const PAGE = 50;

export class History {
    #lists = ["done", "failed", "cancelled"].map((state) => ({
        state,
        jobs: [],
        before: "",
        isOver: false,
    }));

    get isOver() {
        return this.#lists.every((list) => list.isOver && list.jobs.length === 0);
    }

    /** The next jobs with about so many pictures in all; fewer only at the end. */
    async next(pictures) {
        const found = [];
        for (let count = 0; count < pictures;) {
            const job = await this.#newest();
            if (!job) {
                break;
            }
            if (job.pictures_done > 0) {
                found.push(job);
                count += job.pictures_done;
            }
        }
        return found;
    }

    async #newest() {
        await Promise.all(this.#lists.map((list) => this.#fill(list)));
        const candidates = this.#lists.filter((list) => list.jobs.length > 0);
        candidates.sort((one, other) => (one.jobs[0].submitted < other.jobs[0].submitted ? 1 : -1));
        return candidates[0]?.jobs.shift();
    }

    async #fill(list) {
        if (list.jobs.length > 0 || list.isOver) {
            return;
        }
        const query = { state: list.state, limit: PAGE };
        if (list.before) {
            query.before = list.before;
        }
        const answer = await listJobs(query);
        list.jobs = answer.jobs;
        list.before = answer.next;
        list.isOver = answer.next === null;
    }
}
