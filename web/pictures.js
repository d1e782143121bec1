// How does a picture of the server's get into the page? By its address; where a key is needed,
// which an <img> cannot show, by a request of our own.

import { getPicture } from "./api.js";
import { key } from "./key.js";

const FAR = "300px"; // what is so near to the window is fetched

const watcher = new IntersectionObserver(
    (entries) => {
        for (const entry of entries) {
            if (entry.isIntersecting) {
                watcher.unobserve(entry.target);
                fetchInto(entry.target, entry.target.dataset.href);
            }
        }
    },
    { rootMargin: FAR },
);

async function fetchInto(image, href) {
    try {
        const address = URL.createObjectURL(await getPicture(href));
        if (image.dataset.href !== href) {
            URL.revokeObjectURL(address);
            return;
        }
        image.addEventListener("load", () => URL.revokeObjectURL(address), { once: true });
        image.src = address;
    } catch {
        image.dispatchEvent(new Event("error"));
    }
}

/** Shows the picture; lazily when asked for. Failures come as the image's "error" event. */
export function showPicture(image, href, { lazy = false } = {}) {
    image.dataset.href = href;
    if (!key()) {
        image.loading = lazy ? "lazy" : "eager";
        image.src = href;
        return;
    }
    if (lazy) {
        watcher.observe(image);
    } else {
        fetchInto(image, href);
    }
}

/** As a file of the person's. Rejects as `ask`. */
export async function downloadPicture({ href, job, unit }) {
    const blob = await getPicture(href);
    const address = URL.createObjectURL(blob);
    const link = document.createElement("a");
    link.href = address;
    link.download = `${job}-${unit}.${blob.type.split("/")[1] ?? "bin"}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
