// What shall be painted? The form, as a job's spec.

import { Refused, sentence, Unreachable } from "./api.js";
import { showCarried, takeCarried } from "./carried.js";
import { showVocabulary } from "./chips.js";
import { byId, make, setText } from "./dom.js";
import { sizeOf } from "./jobs.js";
import { chooseSize, chosenSize, showShapes } from "./shapes.js";
import { onLanguage, t } from "./words.js";

const form = byId("composer");
const [prompt, negative, model, sampler, schedule, steps, cfg, seed, count, priority] = [
    "prompt",
    "negative_prompt",
    "model",
    "sampler",
    "schedule",
    "steps",
    "cfg",
    "seed",
    "count",
    "priority",
].map(byId);

/** Fields of a spec that the form has controls for; "same again" carries the others along. */
const CONTROLS = new Set([
    "prompt",
    "negative_prompt",
    "model",
    "sampler",
    "schedule",
    "steps",
    "cfg",
    "seed",
    "count",
    "priority",
    "size",
]);

const isWhole = (text, least) => /^\d+$/.test(text) && Number(text) >= least;

/** A name for a submission, so that a second attempt at it makes no second job. */
function newAttempt() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return "page-" + [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Composer {
    #models = [];
    #submit;
    #isSending = false;
    #attempt = { body: "", key: "" }; // one that may have arrived

    /** `submit(spec, idempotencyKey)` with a promise. */
    constructor(submit) {
        this.#submit = submit;
        form.addEventListener("submit", (event) => {
            event.preventDefault();
            this.#send();
        });
        form.addEventListener("input", () => this.#draw());
        form.addEventListener("keydown", (event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
                form.requestSubmit();
            }
        });
        byId("more").addEventListener("toggle", (event) =>
            event.target.scrollIntoView({ block: "nearest" }),
        );
        model.addEventListener("change", () => this.#useModel());
        onLanguage(() => this.#fillChoices());
        this.#draw();
    }

    /** What the farm can do: the answer of /api/v1/models. */
    useCatalog(catalog) {
        this.#models = catalog.models;
        this.samplers = catalog.samplers.map((entry) => entry.name);
        this.schedules = catalog.schedules;
        this.#fillChoices();
        model.value =
            (catalog.models.find((entry) => entry.default) ?? catalog.models[0])?.name ?? "";
        this.#useModel();
    }

    /** Puts a job's settings into the form. */
    fill(spec) {
        prompt.value = spec.prompt ?? "";
        negative.value = spec.negative_prompt ?? "";
        this.#choose(model, spec.model);
        this.#useModel();
        chooseSize(sizeOf(spec));
        this.#choose(sampler, spec.sampler);
        this.#choose(schedule, spec.schedule ?? "");
        steps.value = spec.steps ?? steps.value;
        cfg.value = spec.cfg ?? cfg.value;
        seed.value = spec.seed ?? "";
        count.value = spec.count ?? 1;
        priority.value = spec.priority ?? "normal";
        const rest = Object.entries(spec).filter(([name]) => !CONTROLS.has(name));
        showCarried(Object.fromEntries(rest));
        prompt.dispatchEvent(new Event("input", { bubbles: true }));
        byId("submit").focus();
        form.scrollIntoView({ block: "start" });
    }

    #fillChoices() {
        const option = (value, text = value) => make("option", { value }, text);
        const keep = (select, options) => {
            const value = select.value;
            select.replaceChildren(...options);
            this.#choose(select, value);
        };
        keep(
            model,
            this.#models.map(({ name, default: isDefault, description }) => {
                const entry = option(name, isDefault ? t("modelDefault", { name }) : name);
                entry.title = description;
                return entry;
            }),
        );
        keep(
            sampler,
            (this.samplers ?? []).map((name) => option(name)),
        );
        keep(schedule, [
            option("", t("scheduleDefault")),
            ...(this.schedules ?? []).map((name) => option(name)),
        ]);
        this.#draw();
    }

    /** A value that the list lacks is added to it: the server may know more than it says. */
    #choose(select, value) {
        if (value && ![...select.options].some((entry) => entry.value === value)) {
            select.append(make("option", { value }, value));
        }
        select.value = value ?? "";
        if (select.selectedIndex < 0) {
            select.selectedIndex = 0;
        }
    }

    /** What is best for a model is asked of it anew. */
    #useModel() {
        const chosen = this.#models.find((entry) => entry.name === model.value);
        if (chosen) {
            this.#choose(sampler, chosen.sampler);
            steps.value = chosen.steps;
            cfg.value = chosen.cfg;
            showShapes(chosen);
            showVocabulary(chosen.vocabulary);
        }
        this.#draw();
    }

    #draw() {
        const button = byId("submit");
        button.textContent = this.#isSending
            ? t("submitting")
            : t("submit", { count: isWhole(count.value, 1) ? Number(count.value) : 1 });
        button.disabled = this.#isSending || this.#models.length === 0;
        byId("more-summary").textContent =
            model.value &&
            t("moreSummary", {
                model: model.value,
                steps: steps.value,
                seed: seed.value ? t("seedSummary", { seed: seed.value }) : t("seedRandomSummary"),
            });
    }

    /** The first field that cannot be right, and why. */
    #mistake() {
        if (!chosenSize()) {
            return ["size", t("needSize")];
        }
        if (!isWhole(count.value, 1)) {
            return ["count", t("needCount")];
        }
        if (seed.value.trim() && !isWhole(seed.value.trim(), 0)) {
            return ["seed", t("needSeed")];
        }
        if (!isWhole(steps.value, 1)) {
            return ["steps", t("needSteps")];
        }
        return cfg.value === "" || Number(cfg.value) < 0 ? ["cfg", t("needCfg")] : null;
    }

    #spec() {
        const spec = {
            ...takeCarried(),
            model: model.value,
            prompt: prompt.value.trim(),
            size: chosenSize(),
            sampler: sampler.value,
            steps: Number(steps.value),
            cfg: Number(cfg.value),
            count: Number(count.value),
            priority: priority.value,
        };
        const optional = {
            negative_prompt: negative.value.trim(),
            schedule: schedule.value,
            seed: seed.value.trim(),
        };
        for (const [name, value] of Object.entries(optional)) {
            if (value) {
                spec[name] = value;
            }
        }
        return spec;
    }

    async #send() {
        if (this.#isSending) {
            return;
        }
        this.#showError("", "");
        const mistake = this.#mistake();
        if (mistake) {
            this.#showError(...mistake);
            return;
        }
        const spec = this.#spec();
        const body = JSON.stringify(spec);
        if (this.#attempt.body !== body) {
            this.#attempt = { body, key: newAttempt() };
        }
        this.#isSending = true;
        this.#draw();
        try {
            await this.#submit(spec, this.#attempt.key);
            this.#attempt = { body: "", key: "" };
        } catch (error) {
            if (error instanceof Refused) {
                this.#attempt = { body: "", key: "" };
            }
            this.#showError(
                error.field,
                error instanceof Unreachable ? t("notSent") : sentence(error),
            );
        }
        this.#isSending = false;
        this.#draw();
    }

    #showError(field, text) {
        for (const marked of form.querySelectorAll("[aria-invalid]")) {
            marked.removeAttribute("aria-invalid");
        }
        setText(byId("form-error"), text);
        const control = field === "size" ? byId("width") : field && form.elements.namedItem(field);
        if (text && control) {
            control.setAttribute("aria-invalid", "true");
            const inside = control.closest("details");
            if (inside) {
                inside.open = true;
            }
            control.focus();
        }
    }
}
