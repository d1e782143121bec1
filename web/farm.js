// Which jobs are under way? Keeps them up to date from the events, and does what is asked of them.

import { cancelJob, deleteJob, getJob, listJobs, postJob, retryJob, Refused } from "./api.js";
import { EventStream } from "./events.js";
import { applyEvent, hasEnded, submittedJob } from "./jobs.js";

/** Of so many jobs under way every unit is asked for; of the others only what a list tells. */
const MOST_IN_DETAIL = 20;
const LONGEST_LIST = 200;
/** Failures of the last day are shown until they are dismissed. */
const FAILURES_SHOWN = 5;
const FAILURE_AGE = 24 * 3600 * 1000;
const RELOAD_PAUSE = 5000; // milliseconds, when a list was refused
const DISMISSED = "tessera-dismissed";
const MOST_DISMISSED = 100;

export class Farm {
    /** By id: those that have not ended, oldest first, and failures that nobody has dismissed. */
    jobs = new Map();
    stream;
    #loading = new Map(); // id to the events that came meanwhile
    #ended = new Map(); // ids to the states in which they did, as far as that was heard
    #deleted = new Set();
    #again; // the timer of a reload that is tried again
    #hooks;

    /**
     * `onChange()`: something in `jobs` has changed. `onStart(job)`, `onEnd(job)`: just now.
     * `onReload()`: what was known before may be out of date. `onDelete(id)`.
     * `onBack()`: a stream begins. `onAway(until)`: as EventStream's.
     */
    constructor(hooks) {
        this.#hooks = hooks;
        this.stream = new EventStream({
            onOpen: (isFresh) => {
                hooks.onBack();
                if (isFresh) {
                    this.#reload();
                }
            },
            onEvent: (event) => this.#hear(event),
            onAway: hooks.onAway,
        });
    }

    follow() {
        return this.stream.follow();
    }

    async submit(spec, idempotencyKey) {
        const answer = await postJob(spec, idempotencyKey);
        if (!this.jobs.has(answer.id) && !this.#loading.has(answer.id)) {
            this.jobs.set(answer.id, submittedJob(answer));
            this.#load(answer.id);
        }
        this.#hooks.onChange();
    }

    async cancel(id) {
        this.#settle(await cancelJob(id));
    }

    async retry(id) {
        this.#settle(await retryJob(id));
    }

    /** The job with its pictures, here and on the server. */
    async remove(id) {
        try {
            await deleteJob(id);
        } catch (error) {
            if (error.status !== 404) {
                throw error;
            }
        }
        this.#forget(id);
    }

    /** A failure has been seen. */
    dismiss(id) {
        const dismissed = [id, ...this.#dismissed()].slice(0, MOST_DISMISSED);
        localStorage.setItem(DISMISSED, JSON.stringify(dismissed));
        this.jobs.delete(id);
        this.#hooks.onChange();
    }

    #dismissed() {
        try {
            return JSON.parse(localStorage.getItem(DISMISSED)) ?? [];
        } catch {
            return [];
        }
    }

    async #reload() {
        this.#hooks.onReload();
        const list = (query) => listJobs(query).then((answer) => answer.jobs);
        try {
            const [running, queued, failed] = await Promise.all([
                list({ state: "running", limit: LONGEST_LIST }),
                list({ state: "queued", limit: LONGEST_LIST }),
                list({ state: "failed", limit: FAILURES_SHOWN }),
            ]);
            const dismissed = this.#dismissed();
            const recent = failed.filter(
                (job) =>
                    !dismissed.includes(job.id) && Date.now() - Date.parse(job.ended) < FAILURE_AGE,
            );
            const found = [...recent, ...running, ...queued].sort((one, other) =>
                one.submitted < other.submitted ? -1 : 1,
            );
            for (const job of recent) {
                this.#ended.set(job.id, job.state);
            }
            const known = new Set(found.map((job) => job.id));
            const submittedSince = [...this.jobs].filter(
                ([id]) => !known.has(id) && this.#loading.has(id),
            );
            this.jobs = new Map([...found.map((job) => [job.id, job]), ...submittedSince]);
            this.#hooks.onChange();
            for (const job of found.slice(0, MOST_IN_DETAIL)) {
                this.#load(job.id);
            }
        } catch {
            // The gallery says why; with a server that is away, the banner does.
            clearTimeout(this.#again);
            this.#again = setTimeout(() => this.#reload(), RELOAD_PAUSE);
        }
    }

    #hear(event) {
        if (event.event === "reset") {
            this.#reload();
        } else if (event.event === "deleted") {
            this.#forget(event.job);
        } else if (this.#loading.has(event.job)) {
            this.#loading.get(event.job).push(event);
        } else if (this.jobs.has(event.job)) {
            this.#apply(this.jobs.get(event.job), event);
        } else if (!this.#deleted.has(event.job) && this.#ended.get(event.job) !== event.event) {
            this.#load(event.job, [event]);
        }
    }

    #apply(job, event) {
        const wasRunning = job.state === "running";
        applyEvent(job, event, Date.now());
        if (job.state === "running" && !wasRunning) {
            this.#hooks.onStart(job);
        }
        this.#settle(job);
    }

    /** Asks for the whole job; what is heard until the answer comes is applied after it. */
    async #load(id, events = []) {
        if (this.#loading.has(id)) {
            return;
        }
        this.#loading.set(id, events);
        let job = this.jobs.get(id);
        try {
            job = await getJob(id);
            job.heard = Date.now();
        } catch (error) {
            if (error instanceof Refused && error.status === 404) {
                job = undefined;
                this.jobs.delete(id);
            }
        }
        this.#loading.delete(id);
        if (job && !this.#deleted.has(id)) {
            // Of a job that has ended, the answer is newer than what was heard.
            for (const event of hasEnded(job) ? [] : events) {
                applyEvent(job, event, Date.now());
            }
            this.#settle(job);
        }
    }

    /** Under way, or ended: puts the job where it belongs. */
    #settle(job) {
        if (hasEnded(job)) {
            const isNews = this.#ended.get(job.id) !== job.state;
            this.#ended.set(job.id, job.state);
            if (job.state === "failed" && !this.#dismissed().includes(job.id)) {
                this.jobs.set(job.id, job);
            } else {
                this.jobs.delete(job.id);
            }
            if (isNews) {
                this.#hooks.onEnd(job);
            }
        } else {
            this.#ended.delete(job.id);
            this.jobs.set(job.id, job);
        }
        this.#hooks.onChange();
    }

    #forget(id) {
        this.#deleted.add(id);
        this.jobs.delete(id);
        this.#hooks.onDelete(id);
        this.#hooks.onChange();
    }
}
