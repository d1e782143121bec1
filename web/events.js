// How does the page hear of what happens? One stream of all the caller's jobs, by fetch: an
// EventSource could not show a key. It comes back by itself, from where it was.

import { ask, Refused } from "./api.js";
import { EventParser } from "./sse.js";

const FIRST_PAUSE = 500; // milliseconds
const LONGEST_PAUSE = 30_000;
/** A stream that says nothing for so long may be dead without knowing it. */
const LONGEST_SILENCE = 60_000;

export class EventStream {
    #lastId = "";
    #failures = 0;
    #wake = () => {};
    #hooks;

    /**
     * `onOpen(isFresh)`: a stream begins; a fresh one does not tell what was before it.
     * `onEvent(event)`: as docs of /api/v1/events have it; "reset" when some are missing.
     * `onAway(until)`: the server does not answer; the next try is at that time (Date.now).
     */
    constructor(hooks) {
        this.#hooks = hooks;
    }

    /** Never ends. */
    async follow() {
        addEventListener("online", () => this.tryNow());
        for (;;) {
            try {
                await this.#followOnce();
            } catch (error) {
                if (!(error instanceof DOMException)) {
                    await this.#pauseAfter(error);
                }
                // Else we have ended it ourselves, after a long silence.
            }
        }
    }

    /** Ends the pause before the next try. */
    tryNow() {
        this.#wake();
    }

    async #pauseAfter(error) {
        const usual = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#failures);
        const jittered = usual * (0.75 + Math.random() / 2);
        const pause =
            error instanceof Refused ? Math.max(jittered, error.retryAfter * 1000) : jittered;
        this.#failures += 1;
        // The first loss is usually mended before anybody needs to know.
        if (this.#failures > 1) {
            this.#hooks.onAway(Date.now() + pause);
        }
        await this.#sleep(pause);
    }

    #sleep(milliseconds) {
        return new Promise((resolve) => {
            this.#wake = resolve;
            setTimeout(resolve, milliseconds);
        });
    }

    async #followOnce() {
        const stop = new AbortController();
        let timer;
        const stillAlive = () => {
            clearTimeout(timer);
            timer = setTimeout(() => stop.abort(), LONGEST_SILENCE);
        };
        stillAlive();
        try {
            const headers = { Accept: "text/event-stream" };
            if (this.#lastId) {
                headers["Last-Event-ID"] = this.#lastId;
            }
            const response = await ask("/api/v1/events", {
                headers,
                signal: stop.signal,
                cache: "no-store",
            });
            this.#failures = 0;
            this.#hooks.onOpen(this.#lastId === "");
            const parser = new EventParser((event) => this.#hear(event));
            const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
            for (;;) {
                const { done, value } = await reader.read();
                if (done) {
                    throw new Error("the stream has ended");
                }
                stillAlive();
                parser.feed(value);
            }
        } finally {
            clearTimeout(timer);
        }
    }

    #hear({ data, id }) {
        const event = JSON.parse(data);
        this.#lastId = id || this.#lastId;
        this.#hooks.onEvent(event);
    }
}
