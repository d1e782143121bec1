// The page: its parts, and who tells whom what.

import { getCatalog, sentence } from "./api.js";
import { Composer } from "./composer.js";
import { byId } from "./dom.js";
import { Farm } from "./farm.js";
import { Gallery } from "./gallery.js";
import { titleOf } from "./job_card.js";
import { failureOf, hasEnded, picturesOf } from "./jobs.js";
import { forgetKey, key } from "./key.js";
import { announce, showAway, showBack, warn } from "./notices.js";
import { Viewer } from "./viewer.js";
import { language, onLanguage, setLanguage, t, translatePage } from "./words.js";
import { WorkView } from "./work.js";

/** Runs an action of a person's; what goes wrong is said. */
async function attempt(action) {
    try {
        await action();
    } catch (error) {
        warn(sentence(error));
    }
}

const farm = new Farm({
    onChange: () => work.draw(),
    onStart: (job) => announce(t("sayStarted", { prompt: titleOf(job.spec) })),
    onEnd: (job) => {
        gallery.add(job);
        const say = { done: "sayDone", failed: "sayFailed", cancelled: "sayCancelled" }[job.state];
        announce(t(say, { prompt: titleOf(job.spec), message: failureOf(job) }));
    },
    onReload: () => gallery.reload(),
    onDelete: (id) => gallery.remove(id),
    onAway: (until) => showAway(until, () => farm.stream.tryNow()),
    onBack: () => {
        showBack();
        loadCatalog();
    },
});

const viewer = new Viewer({
    again: (spec) => {
        composer.fill(spec);
        announce(t("filled"));
    },
    remove: async (id) => {
        await farm.remove(id);
        announce(t("sayDeleted"));
    },
});

const gallery = new Gallery((pictures, index) => viewer.open(pictures, index));

const failuresLast = (one, other) => hasEnded(one) - hasEnded(other);

const work = new WorkView(() => [...farm.jobs.values()].sort(failuresLast), {
    cancel: (id) => attempt(() => farm.cancel(id)),
    retry: (id) => attempt(() => farm.retry(id)),
    dismiss: (id) => farm.dismiss(id),
    open: (id, unit) => {
        const pictures = picturesOf(farm.jobs.get(id));
        viewer.open(
            pictures,
            pictures.findIndex((picture) => picture.unit === unit),
        );
    },
});

const composer = new Composer(async (spec, idempotencyKey) => {
    await farm.submit(spec, idempotencyKey);
    announce(t("saySubmitted", { prompt: titleOf(spec) }));
    work.reveal();
});

let catalog; // a promise, once it was asked for

function loadCatalog() {
    catalog ??= attempt(async () => {
        try {
            composer.useCatalog(await getCatalog());
        } catch (error) {
            catalog = undefined; // again when the server is back
            throw error;
        }
    });
}

function markLanguage() {
    for (const button of document.querySelectorAll("[data-language]")) {
        button.setAttribute("aria-pressed", button.dataset.language === language());
    }
}

for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => setLanguage(button.dataset.language));
}
onLanguage(() => {
    markLanguage();
    work.draw();
});
byId("forget-key").hidden = !key();
byId("forget-key").addEventListener("click", () => {
    forgetKey();
    location.reload();
});

translatePage();
markLanguage();
farm.follow();
