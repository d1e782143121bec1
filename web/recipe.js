// What makes exactly this picture again?

/** Of submissions, or of the place in the line: not of a picture. */
const NOT_OF_A_PICTURE = ["kind", "idempotency_key", "deadline", "tag"];

/**
 * The spec (as POST /api/v1/jobs takes it) of one picture of a job. Its seed stands in its recipe's
 * JSON, from where it is taken as text: it may be larger than a number of JavaScript's can hold.
 */
export function specOf(job, index) {
    const spec = { ...job.spec, count: 1 };
    for (const name of NOT_OF_A_PICTURE) {
        delete spec[name];
    }
    // No text of a prompt can look like this: in JSON its quotes are escaped.
    const number = (pattern) => pattern.exec(job.units[index]?.recipe ?? "")?.[1];
    const seed = number(/[{,]\s*"seed"\s*:\s*(\d+)/);
    const variation = number(/[{,]\s*"variation"\s*:\s*\{\s*"seed"\s*:\s*(\d+)/);
    spec.seed = seed ?? spec.seed;
    if (variation) {
        spec.variation_seed = variation;
    }
    return spec;
}
