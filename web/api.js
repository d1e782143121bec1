// How does the page ask the server?

import { askForKey, key } from "./key.js";
import { t, timeText } from "./words.js";

/** The server refused; the message is its own sentence. */
export class Refused extends Error {
    constructor(message, status, { field = "", retryAfter = 0 } = {}) {
        super(message);
        this.status = status;
        this.field = field;
        this.retryAfter = retryAfter; // seconds
    }
}

/** No answer came. Whether the server has done what was asked is not known. */
export class Unreachable extends Error {}

/** What a person may read of an error. */
export function sentence(error) {
    if (error instanceof Unreachable) {
        return t("unreachable");
    }
    return error.retryAfter > 0
        ? t("retryAfter", { message: error.message, time: timeText(error.retryAfter) })
        : error.message;
}

async function refusal(response) {
    let error = {};
    try {
        error = (await response.json()).error ?? {};
    } catch {
        // A proxy's page, or nothing at all.
    }
    return new Refused(
        error.message || t("strangeAnswer", { status: response.status }),
        response.status,
        { field: error.field, retryAfter: Number(response.headers.get("Retry-After")) || 0 },
    );
}

/** A fetch with the key, asked for where one is wanted. Rejects with Refused or Unreachable. */
export async function ask(path, options = {}) {
    for (;;) {
        const shown = key();
        const headers = new Headers(options.headers);
        if (shown) {
            headers.set("Authorization", `Bearer ${shown}`);
        }
        let response;
        try {
            response = await fetch(path, { ...options, headers, credentials: "omit" });
        } catch (error) {
            throw new Unreachable(error.message);
        }
        if (response.ok) {
            return response;
        }
        const refused = await refusal(response);
        if (refused.status !== 401) {
            throw refused;
        }
        if (shown === key()) {
            await askForKey(refused.message);
        }
    }
}

async function askJson(path, options) {
    const response = await ask(path, options);
    try {
        return await response.json();
    } catch (error) {
        throw new Unreachable(error.message);
    }
}

const jobPath = (id) => `/api/v1/jobs/${encodeURIComponent(id)}`;

export const getCatalog = () => askJson("/api/v1/models");

export const listJobs = (query) => askJson(`/api/v1/jobs?${new URLSearchParams(query)}`);

export const getJob = (id) => askJson(jobPath(id));

/** With the same `idempotencyKey` again, the server answers with the job that it has already. */
export const postJob = (spec, idempotencyKey) =>
    askJson("/api/v1/jobs", {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": idempotencyKey },
        body: JSON.stringify(spec),
    });

export const cancelJob = (id) => askJson(`${jobPath(id)}/cancel`, { method: "POST" });

export const retryJob = (id) => askJson(`${jobPath(id)}/retry`, { method: "POST" });

export const deleteJob = (id) => ask(jobPath(id), { method: "DELETE" });

export const getPicture = async (href) => {
    const response = await ask(href);
    try {
        return await response.blob();
    } catch (error) {
        throw new Unreachable(error.message);
    }
};
