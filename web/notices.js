// How is a person told something? Announcements are for screen readers; warnings stand on the page
// until they are dismissed; the banner says that the server is away.

import { byId, make } from "./dom.js";
import { t } from "./words.js";

const WARNING_STAYS = 12_000; // milliseconds

export function announce(text) {
    byId("announcer").textContent = text;
}

export function warn(text) {
    const warning = make("div", { class: "warning", role: "alert" }, make("p", {}, text));
    const remove = () => warning.remove();
    warning.append(
        make("button", { type: "button", class: "quiet", onclick: remove }, t("dismiss")),
    );
    byId("warnings").append(warning);
    setTimeout(remove, WARNING_STAYS);
}

let ticking;

/** The server is away until somebody calls showBack; `until` is the time of the next try. */
export function showAway(until, tryNow) {
    const banner = byId("connection");
    const text = make("span");
    const show = () => {
        text.textContent = t("away", {
            seconds: Math.max(0, Math.ceil((until - Date.now()) / 1000)),
        });
    };
    show();
    clearInterval(ticking);
    ticking = setInterval(show, 1000);
    const button = make("button", { type: "button", class: "quiet", onclick: tryNow }, t("tryNow"));
    banner.replaceChildren(text, button);
    if (banner.hidden) {
        announce(text.textContent);
    }
    banner.hidden = false;
}

export function showBack() {
    clearInterval(ticking);
    const banner = byId("connection");
    if (!banner.hidden) {
        banner.hidden = true;
        announce(t("sayBack"));
    }
}
