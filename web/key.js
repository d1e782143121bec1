// Which key does this tab show to the server, and how is one asked for?

import { byId, setText } from "./dom.js";

const KEPT = "tessera-key";

const dialog = byId("key-dialog");
const input = byId("key");
let asking = null;

export function key() {
    return sessionStorage.getItem(KEPT);
}

export function forgetKey() {
    sessionStorage.removeItem(KEPT);
}

/**
 * Settles when somebody has given a key; all who wait share one dialog. `why` is the server's
 * sentence about the key that it has seen, if any.
 */
export function askForKey(why) {
    asking ??= new Promise((resolve) => {
        setText(byId("key-error"), key() ? why : "");
        input.value = "";
        dialog.showModal();
        dialog.onclose = () => {
            const given = input.value.trim();
            if (!given) {
                dialog.showModal(); // without a key there is nothing to go back to
                return;
            }
            sessionStorage.setItem(KEPT, given);
            input.value = "";
            byId("forget-key").hidden = false;
            asking = null;
            resolve();
        };
    });
    return asking;
}
