// The farm's page in a browser, against a farm that runs:
//
//     node tests/web/page.test.mjs http://127.0.0.1:7860
//
// Starts no server. CHROMIUM names the browser (default: /usr/bin/chromium); TESSERA_KEY is the key
// for a farm that asks for one. It submits a few small jobs, cancels one, deletes one.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const base = process.argv[2]?.replace(/\/$/, "");
if (!/^https?:\/\//.test(base ?? "")) {
    console.error("usage: node page.test.mjs http://HOST:PORT");
    process.exit(2);
}
const key = process.env.TESSERA_KEY ?? "";
const PATIENCE = 120_000; // milliseconds; a sanitized build on two cores renders slowly
/** Steps of a job that is certainly not done before it is cancelled. */
const MANY_STEPS = 150;

let browser;
let context;
let page;
const complaints = [];
/** Answers of these addresses with a status of 400 or more are meant by a test. */
const expected = [];

before(async () => {
    browser = await chromium.launch({
        executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
        args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
    });
    context = await browser.newContext({
        locale: "en-GB",
        viewport: { width: 1280, height: 900 },
        ignoreHTTPSErrors: true,
    });
    await context.addInitScript(() => {
        document.addEventListener("securitypolicyviolation", (event) =>
            console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`),
        );
    });
    page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    page.on("pageerror", (error) => complaints.push(error.stack));
    page.on("console", (message) => {
        const isExpected = expected.some((pattern) => pattern.test(message.location().url));
        if (["error", "warning"].includes(message.type()) && !isExpected) {
            complaints.push(`${message.text()} (${message.location().url})`);
        }
    });
    if (key) {
        expected.push(/\/api\/v1\/(events|models)$/); // asked once without the key
    }
    const answer = await page.goto(base);
    assert.equal(answer.status(), 200);
    if (key) {
        await page.getByLabel("API key").fill(key);
        await page.getByRole("button", { name: "Use this key" }).click();
    }
    await page.locator("#submit:enabled").waitFor();
});

after(async () => {
    await browser?.close();
});

const prompt = () => page.getByLabel("What should the picture show?");
const cards = (text) => page.locator("#jobs > li").filter({ hasText: text });
const pictures = () => page.locator("#pictures > li");

async function chooseWords(group, ...words) {
    await page.getByRole("tab", { name: group, exact: true }).click();
    for (const word of words) {
        await page.getByRole("button", { name: word, exact: true }).click();
    }
}

async function setSteps(steps) {
    await page.locator("#more").evaluate((details) => (details.open = true));
    await page.getByLabel("Steps").fill(String(steps));
}

/** Runs in the page, where its modules live. */
const inPage = (run) => page.evaluate(run);

test("its policy allows no foreign and no inline code, and it sets no cookies", async () => {
    const answer = await page.request.get(base);
    const policy = answer.headers()["content-security-policy"] ?? "";
    assert.match(policy, /default-src 'self'/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    assert.deepEqual(await context.cookies(), []);
    assert.doesNotMatch(await answer.text(), /<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
});

test("chips put words into the prompt, and take them out again", async () => {
    await chooseWords("scenes", "sea");
    await chooseWords("time", "at dawn");
    await chooseWords("sky colours", "orange");
    assert.equal(await prompt().inputValue(), "sea, at dawn, under an orange sky");
    assert.equal(
        await page
            .getByRole("button", { name: "orange", exact: true })
            .getAttribute("aria-pressed"),
        "true",
    );
    await chooseWords("time", "at dawn");
    assert.equal(await prompt().inputValue(), "sea, under an orange sky");
    await page.getByRole("tab", { selected: true }).press("ArrowRight");
    assert.equal(await page.getByRole("tab", { selected: true }).textContent(), "sky colours");
});

test("a picture is painted: progress with steps and a preview, then it stands in the gallery", async () => {
    const before = await pictures().count();
    await prompt().fill("");
    await chooseWords("buildings", "a lighthouse");
    await chooseWords("time", "at sunset");
    const text = await prompt().inputValue();
    await setSteps(40);
    await page.getByRole("button", { name: "Paint", exact: true }).click();
    const card = cards(text);
    await card.getByText(/step \d+\/40/).waitFor();
    assert.ok(Number(await card.getByRole("progressbar").getAttribute("value")) >= 0);
    await card.locator('img[src^="data:image/jpeg;base64,"]').waitFor();
    await card.waitFor({ state: "detached" });
    const first = pictures().first();
    await first.locator("img").waitFor();
    assert.ok((await pictures().count()) > before);
    assert.match(
        await first.getByRole("button").getAttribute("aria-label"),
        /a lighthouse, at sunset/,
    );
    await first.locator("img").evaluate((image) => image.decode());
    assert.ok((await first.locator("img").evaluate((image) => image.naturalWidth)) >= 64);
    assert.match(await page.locator("#announcer").textContent(), /^Done: a lighthouse/);
});

test("the viewer tells how it was made, downloads it, and fills the form with the same", async () => {
    await pictures().first().getByRole("button").click();
    const viewer = page.locator("#viewer");
    const fact = (name) =>
        viewer
            .locator("dl div")
            .filter({ has: page.getByText(name, { exact: true }) })
            .locator("dd");
    await fact("Seed").waitFor();
    const seed = await fact("Seed").textContent();
    assert.match(seed, /^\d+$/);
    assert.equal(await fact("Steps").textContent(), "40");
    const [download] = await Promise.all([
        page.waitForEvent("download"),
        viewer.getByRole("button", { name: "Download" }).click(),
    ]);
    assert.match(download.suggestedFilename(), /^\w+-0\.png$/);
    await viewer.getByRole("button", { name: "Same again" }).click();
    await viewer.waitFor({ state: "hidden" });
    assert.equal(await page.getByLabel("Seed").inputValue(), seed);
    assert.equal(await page.getByLabel("Steps").inputValue(), "40");
});

test("the same seed paints the same picture", async () => {
    const newest = async () => {
        await pictures().first().getByRole("button").click();
        const address = await page.locator("#viewer-picture").getAttribute("data-href");
        await page.keyboard.press("Escape");
        const headers = key ? { Authorization: `Bearer ${key}` } : {};
        return [address, await (await page.request.get(base + address, { headers })).body()];
    };
    const [firstAddress, firstBytes] = await newest();
    await setSteps(40);
    await page.getByRole("button", { name: "Paint", exact: true }).click();
    await page.waitForFunction(
        (old) => document.querySelector("#pictures img").dataset.href !== old,
        firstAddress,
    );
    const [secondAddress, secondBytes] = await newest();
    assert.notEqual(secondAddress, firstAddress);
    assert.ok(firstBytes.equals(secondBytes));
});

test("a long job of several pictures is cancelled, and those that wait say where they stand", async () => {
    await prompt().fill("dunes, stars");
    await page.getByLabel("Seed").fill("");
    await setSteps(MANY_STEPS);
    await page.getByLabel("How many").fill("20");
    await page.getByRole("button", { name: "Paint 20 pictures" }).click();
    await cards("dunes, stars")
        .getByText(/step \d+/)
        .first()
        .waitFor();
    await prompt().fill("a castle, fog");
    await page.getByLabel("How many").fill("1");
    await page.getByRole("button", { name: "Paint", exact: true }).click();
    const waiting = cards("a castle, fog");
    await waiting.waitFor();
    await waiting.getByRole("button", { name: /^Cancel/ }).click();
    await waiting.waitFor({ state: "detached" });
    await cards("dunes, stars")
        .getByRole("button", { name: /^Cancel/ })
        .click();
    await cards("dunes, stars").waitFor({ state: "detached" });
    assert.match(await page.locator("#announcer").textContent(), /^Cancelled: dunes, stars/);
    await page.reload();
    await page.locator("#submit:enabled").waitFor();
    await pictures().first().waitFor();
    assert.equal(await page.locator("#jobs > li:not([data-state=failed])").count(), 0);
});

test("what cannot be right is said at its field, in the server's words where it is the server's", async () => {
    await page.locator("#more").evaluate((details) => (details.open = true));
    await page.getByLabel("Steps").fill("0");
    await page.getByRole("button", { name: "Paint", exact: true }).click();
    assert.match(await page.locator("#form-error").textContent(), /Steps must be a whole number/);
    expected.push(/\/api\/v1\/jobs$/);
    await page.getByLabel("Steps").fill("20");
    await page.getByLabel("Seed").fill("99999999999999999999"); // more than 64 bits
    await page.getByRole("button", { name: "Paint", exact: true }).click();
    await page.locator("#form-error").filter({ hasText: "18446744073709551615" }).waitFor();
    assert.equal(await page.getByLabel("Seed").getAttribute("aria-invalid"), "true");
    await page.getByLabel("Seed").fill("");
});

test("prompts are text, whatever they look like", async () => {
    const hostile = '<img src=x onerror="document.title=1"> <b>sea</b>';
    await prompt().fill(hostile);
    await setSteps(4);
    await page.getByRole("button", { name: "Paint", exact: true }).click();
    await pictures().getByRole("button", { name: hostile }).first().waitFor();
    await pictures().getByRole("button", { name: hostile }).first().click();
    assert.equal(await page.locator("#viewer-title").textContent(), hostile);
    assert.equal(await page.title(), "Tessera");
});

test("a picture is deleted after a question", async () => {
    const id = await page.locator("#pictures > li").first().getAttribute("data-job");
    await page.locator("#viewer-delete").click();
    await page.getByRole("button", { name: "Keep" }).click();
    assert.equal(await page.locator(`#pictures > li[data-job="${id}"]`).count(), 1);
    await page.locator("#viewer-delete").click();
    await page.getByRole("button", { name: "Delete 1 picture" }).click();
    await page.locator(`#pictures > li[data-job="${id}"]`).waitFor({ state: "detached" });
    await page.locator("#viewer").waitFor({ state: "hidden" });
});

test("it speaks Chinese, and remembers it", async () => {
    await page.getByRole("button", { name: "中文" }).click();
    await page.getByRole("button", { name: "开始作画" }).waitFor();
    assert.equal(await page.getAttribute("html", "lang"), "zh-Hans");
    await page.getByRole("tab", { name: "时间" }).click();
    await page.getByRole("button", { name: "at night 夜晚" }).waitFor();
    await page.reload();
    await page.getByRole("button", { name: "开始作画" }).waitFor();
    assert.match(await page.locator("label[for=prompt]").textContent(), /[\u4e00-\u9fff]/);
    await page.getByRole("button", { name: "English" }).click();
    const [en, zh] = await inPage(async () =>
        Promise.all(
            ["en", "zh"].map(async (code) => {
                const messages = (await import(`/i18n/${code}.js`)).default;
                return Object.entries(messages)
                    .map(([name, text]) => `${name} ${typeof text}`)
                    .sort();
            }),
        ),
    );
    assert.deepEqual(
        en.map((entry) => entry.split(" ")[0]),
        zh.map((entry) => entry.split(" ")[0]),
    );
});

test("it fits a window of 360 pixels, and every control has a name", async () => {
    for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width: 360, height: 740 });
        const width = await inPage(() => document.documentElement.scrollWidth);
        assert.ok(width <= 360, `${width} pixels wide`);
    }
    const nameless = await inPage(() =>
        [...document.querySelectorAll("button, input, select, textarea")]
            .filter((control) => control.checkVisibility())
            .filter(
                (control) =>
                    !(control.ariaLabel || control.labels?.length || control.textContent.trim()),
            )
            .map((control) => control.outerHTML),
    );
    assert.deepEqual(nameless, []);
    await page.setViewportSize({ width: 1280, height: 900 });
});

test("when the server is away it says so, and goes on by itself", async () => {
    expected.push(/\/api\/v1\//);
    await context.setOffline(true);
    await page.reload().catch(() => {});
    await context.setOffline(false);
    await page.goto(base);
    await page.locator("#submit:enabled").waitFor();
    // The stream that is open is cut by a route that refuses the next ones.
    await page.route("**/api/v1/events", (route) => route.abort());
    await page.goto(base);
    await page
        .locator("#connection")
        .getByText(/does not answer/)
        .waitFor();
    await page.unroute("**/api/v1/events");
    await page.getByRole("button", { name: "Try now" }).click();
    await page.locator("#connection").waitFor({ state: "hidden" });
    await page.locator("#submit:enabled").waitFor();
});

test("its parts: streams in any pieces, vocabularies, seeds that no number can hold", async () => {
    const events = await inPage(async () => {
        const { EventParser } = await import("/sse.js");
        const text =
            ': hello\r\nid: 7\nevent: done\ndata: {"a":\ndata: 1}\n\ndata:x\r\n\r\nevent: lost\n\n';
        const heard = [];
        for (let size = 1; size < text.length; ++size) {
            const found = [];
            const parser = new EventParser((event) => found.push(event));
            for (let at = 0; at < text.length; at += size) {
                parser.feed(text.slice(at, at + size));
            }
            heard.push(JSON.stringify(found));
        }
        return [...new Set(heard)];
    });
    assert.deepEqual(events, [
        JSON.stringify([
            { type: "done", data: '{"a":\n1}', id: "7" },
            { type: "message", data: "x", id: "7" },
        ]),
    ]);

    const groups = await inPage(async () => {
        const { parseVocabulary } = await import("/vocabulary.js");
        return parseVocabulary([
            "buildings: a red / orange house, cottage or cabin; a tower",
            'sky: purple, orange (as in "under a purple sky")',
            "empty:",
        ]).map((group) => [group.name, ...group.chips.map((chip) => chip.text)]);
    });
    assert.deepEqual(groups, [
        ["buildings", "a red house", "an orange house", "cottage", "cabin", "a tower"],
        ["sky", "under a purple sky", "under an orange sky"],
    ]);

    const seeds = await inPage(async () => {
        const { specOf } = await import("/recipe.js");
        const spec = {
            kind: "render",
            prompt: '{"seed":1',
            seed: "18446744073709551610",
            count: 4,
        };
        const recipe =
            '{"prompt":"{\\"seed\\":1","rng":"cpu","seed":18446744073709551613,"variation":{"seed":5}}';
        return specOf({ spec, units: [{ recipe }] }, 0);
    });
    assert.deepEqual(seeds, {
        prompt: '{"seed":1',
        seed: "18446744073709551613",
        variation_seed: "5",
        count: 1,
    });
});

test("nothing complained meanwhile: no errors, no violations of the policy", () => {
    assert.deepEqual(complaints, []);
});
