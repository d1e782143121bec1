// What is known of a job, and what does an event change of it? A job is the API's own object
// (GET /api/v1/jobs/{id}), kept up to date. No network, no page.

export function hasEnded(job) {
    return job.state === "done" || job.state === "failed" || job.state === "cancelled";
}

/** [width, height] of the pictures that it makes. */
export function sizeOf(spec) {
    const match = /^(\d+)x(\d+)$/.exec(spec.size ?? spec.scale ?? "");
    return match ? [Number(match[1]), Number(match[2])] : [1, 1];
}

/** From the answer to a submission, until more is known. */
export function submittedJob(answer) {
    return {
        id: answer.id,
        state: "queued",
        fraction: 0,
        pictures: answer.spec.count,
        pictures_done: 0,
        spec: answer.spec,
        remarks: answer.remarks,
        units: [],
    };
}

/** The unit that is picture number `index`; tiles come after all pictures. */
export function pictureUnit(job, index) {
    job.units ??= [];
    job.units[index] ??= {
        unit: index,
        state: job.state === "done" ? "done" : "queued",
        fraction: 0,
    };
    return job.units[index];
}

/** How far a picture is, 0 to 1. Of a picture in tiles it is known late, of the tiles at once. */
export function pictureFraction(job, index) {
    const own = pictureUnit(job, index);
    if (own.state === "done") {
        return 1;
    }
    const tiles = job.units.filter((unit) => unit?.part_of === index);
    const sum = tiles.reduce(
        (total, tile) => total + (tile.state === "done" ? 1 : tile.fraction),
        0,
    );
    return Math.max(own.fraction, tiles.length > 0 ? sum / tiles.length : 0);
}

/** The finished pictures: { job, unit, href, width, height, spec }. */
export function picturesOf(job) {
    const [width, height] = sizeOf(job.spec);
    const found = [];
    for (let index = 0; index < job.pictures; ++index) {
        const unit = pictureUnit(job, index);
        if (unit.state === "done") {
            const href = `/api/v1/jobs/${encodeURIComponent(job.id)}/images/${index}`;
            found.push({
                job: job.id,
                unit: index,
                href,
                width,
                height,
                ...unit.image,
                spec: job.spec,
            });
        }
    }
    return found;
}

/** Why it failed, in the server's words. */
export function failureOf(job) {
    return job.message ?? job.units?.find((unit) => unit?.failure)?.failure.message ?? "";
}

/** Seconds until it is done, as far as anybody knows; `now` as Date.now. */
export function secondsToFinish(job, now) {
    if (job.state === "running" && job.fraction > 0.1 && job.begun) {
        const pace = (job.begun.now - job.begun.at) / (job.fraction - job.begun.fraction);
        const left = (pace * (1 - job.fraction) - (now - job.begun.now)) / 1000;
        return Number.isFinite(left) ? Math.max(left, 0) : undefined;
    }
    return estimate(job.seconds_to_finish, job, now);
}

export function secondsToStart(job, now) {
    return estimate(job.seconds_to_start, job, now);
}

function estimate(seconds, job, now) {
    return seconds === undefined
        ? undefined
        : Math.max(0, seconds - (now - (job.heard ?? now)) / 1000);
}

function applyUnitEvent(job, event, change) {
    const unit = pictureUnit(job, event.unit);
    Object.assign(unit, change);
    unit.fraction = event.unit_fraction ?? unit.fraction;
    job.fraction = event.job_fraction ?? job.fraction;
}

function notePace(job, now) {
    job.begun ??= { at: now, fraction: job.fraction };
    job.begun.now = now;
}

/** Changes the job as the event (of /api/v1/events, about this job) says. */
export function applyEvent(job, event, now) {
    switch (event.event) {
        case "queued": {
            const { position, seconds_to_start, seconds_to_finish } = event;
            Object.assign(job, { position, seconds_to_start, seconds_to_finish, heard: now });
            break;
        }
        case "started":
            job.state = "running";
            break;
        case "progress":
        case "preview": {
            const change = { state: "running", retrying: undefined };
            for (const name of ["worker", "step", "steps", "stage"]) {
                if (event[name] !== undefined) {
                    change[name] = event[name];
                }
            }
            if (event.jpeg) {
                change.preview = event.jpeg;
            }
            job.state = "running";
            applyUnitEvent(job, event, change);
            notePace(job, now);
            break;
        }
        case "unit_done": {
            const isNew = event.image && pictureUnit(job, event.unit).state !== "done";
            job.pictures_done += isNew ? 1 : 0;
            applyUnitEvent(job, event, { state: "done", image: event.image, preview: undefined });
            notePace(job, now);
            break;
        }
        case "retrying":
            applyUnitEvent(job, event, { retrying: event.message, step: undefined });
            job.begun = undefined;
            break;
        case "unit_failed":
            applyUnitEvent(job, event, { state: "failed", failure: { message: event.message } });
            break;
        case "done":
        case "failed":
        case "cancelled":
            job.state = event.event;
            job.message = event.message;
            job.ended = event.time;
            break;
    }
}
