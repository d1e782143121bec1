// Which events are in a stream of text? (The HTML standard's server-sent events, for fetch.)

/** Feed it text as it comes; calls `onEvent({ type, data, id })` for each whole event. */
export class EventParser {
    #rest = "";
    #type = "";
    #data = [];
    #id = "";
    #onEvent;

    constructor(onEvent) {
        this.#onEvent = onEvent;
    }

    feed(text) {
        this.#rest += text;
        // A "\r" at the end may be the first half of "\r\n".
        const lines = this.#rest.split(/\r\n|\n|\r(?!$)/);
        this.#rest = lines.pop();
        for (const line of lines) {
            this.#line(line);
        }
    }

    #line(line) {
        if (line === "") {
            this.#dispatch();
            return;
        }
        const colon = line.indexOf(":");
        const field = colon < 0 ? line : line.slice(0, colon);
        const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (field === "data") {
            this.#data.push(value);
        } else if (field === "event") {
            this.#type = value;
        } else if (field === "id") {
            this.#id = value;
        }
    }

    #dispatch() {
        if (this.#data.length > 0) {
            this.#onEvent({
                type: this.#type || "message",
                data: this.#data.join("\n"),
                id: this.#id,
            });
        }
        this.#type = "";
        this.#data = [];
    }
}
