// Is the person sure?

import { byId } from "./dom.js";

/** True when somebody chose `yes`; Escape and the other button mean no. */
export function ask(question, yes) {
    const dialog = byId("question");
    byId("question-text").textContent = question;
    byId("question-yes").textContent = yes;
    dialog.returnValue = "no";
    dialog.showModal();
    return new Promise((resolve) => {
        dialog.onclose = () => resolve(dialog.returnValue === "yes");
    });
}
