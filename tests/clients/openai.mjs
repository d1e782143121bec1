// Drives a running farm with OpenAI's own client, unmodified.
//
//     node openai.mjs http://127.0.0.1:7860 [key]
//
// Says each thing that holds; ends with 1 at the first that does not.
import assert from "node:assert/strict";
import OpenAI, { toFile } from "openai";
import { makePng, pngSize } from "./png.mjs";

globalThis.File ??= (await import("node:buffer")).File; // Debian's Node.js 18 has it there alone

const [base, key = "none"] = process.argv.slice(2);
if (!base) {
    console.error("usage: node openai.mjs BASE_URL [KEY]");
    process.exit(2);
}
const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 });
const steps = 4; // an extension field: few, so that this takes no time

async function holds(what, check) {
    await check();
    console.log(`ok  ${what}`);
}

async function refuses(call, status, param) {
    await assert.rejects(call, (error) => {
        assert.ok(error instanceof OpenAI.APIError, String(error));
        assert.equal(error.status, status);
        assert.equal(error.param, param);
        assert.ok(error.message.length > 10, error.message);
        return true;
    });
}

const bytesOf = (picture) => Buffer.from(picture.b64_json, "base64");

let model;
await holds("models are listed and shown", async () => {
    const models = [];
    for await (const each of client.models.list()) {
        models.push(each);
    }
    assert.ok(models.length > 0);
    model = models[0].id;
    assert.equal((await client.models.retrieve(model)).object, "model");
    await assert.rejects(client.models.retrieve("no-such-model"), OpenAI.NotFoundError);
});

let picture;
await holds("a picture is generated", async () => {
    const answer = await client.images.generate({
        prompt: "a lighthouse by the sea",
        model,
        size: "512x512",
        num_inference_steps: steps,
        seed: 7,
    });
    assert.equal(answer.data.length, 1);
    assert.equal(answer.output_format, "png");
    assert.ok(answer.usage.total_tokens > 0);
    picture = bytesOf(answer.data[0]);
    assert.deepEqual(pngSize(picture), { width: 512, height: 512 });
    assert.equal(answer.size, "512x512");
});

await holds("the same seed gives the same picture", async () => {
    const again = await client.images.generate({
        prompt: "a lighthouse by the sea",
        model,
        size: "512x512",
        num_inference_steps: steps,
        seed: 7,
    });
    assert.ok(bytesOf(again.data[0]).equals(picture));
});

await holds("several pictures come as links, in another format", async () => {
    const answer = await client.images.generate({
        prompt: "a forest",
        n: 2,
        model: "dall-e-3",
        output_format: "jpeg",
        output_compression: 80,
        num_inference_steps: steps,
    });
    assert.equal(answer.data.length, 2);
    for (const { url } of answer.data) {
        const shown = await fetch(url);
        assert.equal(shown.status, 200);
        assert.equal(shown.headers.get("content-type"), "image/jpeg");
        assert.equal(Buffer.from(await shown.arrayBuffer()).readUInt16BE(0), 0xffd8);
    }
});

await holds("a stream shows the picture while it grows", async () => {
    const stream = await client.images.generate({
        prompt: "a lighthouse by the sea",
        model,
        stream: true,
        partial_images: 2,
        num_inference_steps: 12,
    });
    const partial = [];
    let completed;
    for await (const event of stream) {
        if (event.type === "image_generation.partial_image") {
            assert.ok(!completed);
            assert.equal(event.partial_image_index, partial.length);
            partial.push(event);
        } else {
            assert.equal(event.type, "image_generation.completed");
            completed = event;
        }
    }
    assert.ok(partial.length <= 2);
    assert.ok(pngSize(bytesOf(completed)));
    assert.ok(completed.usage.total_tokens > 0);
    console.log(`    ${partial.length} partial pictures`);
});

await holds("an edit paints where the mask is transparent", async () => {
    const mask = makePng(512, 512, (x) => [0, 0, 0, x < 256 ? 255 : 0]);
    const answer = await client.images.edit({
        image: await toFile(picture, "picture.png", { type: "image/png" }),
        mask: await toFile(mask, "mask.png", { type: "image/png" }),
        prompt: "a sailing ship",
        model,
        num_inference_steps: steps,
    });
    assert.deepEqual(pngSize(bytesOf(answer.data[0])), { width: 512, height: 512 });
});

await holds("an edit can be streamed", async () => {
    const stream = await client.images.edit({
        image: await toFile(picture, "picture.png", { type: "image/png" }),
        prompt: "a lighthouse at night",
        model,
        stream: true,
        num_inference_steps: steps,
    });
    const types = [];
    for await (const event of stream) {
        types.push(event.type);
    }
    assert.equal(types.at(-1), "image_edit.completed");
});

await holds("a variation begins with a picture", async () => {
    const answer = await client.images.createVariation({
        image: await toFile(picture, "picture.png", { type: "image/png" }),
        response_format: "b64_json",
        n: 1,
    });
    assert.ok(pngSize(bytesOf(answer.data[0])));
});

await holds("what is wrong is refused, with its name", async () => {
    const generate = (more) => client.images.generate({ prompt: "a", model, ...more });
    await refuses(generate({ n: 11 }), 400, "n");
    await refuses(generate({ background: "transparent" }), 400, "background");
    await refuses(generate({ output_format: "gif" }), 400, "output_format");
    await refuses(generate({ prompt: "" }), 400, "prompt");
    await assert.rejects(generate({ model: "no-such-model" }), OpenAI.APIError);
    await refuses(
        client.images.edit({
            image: await toFile(Buffer.from("no picture"), "a.png", { type: "image/png" }),
            prompt: "a",
        }),
        400,
        "image",
    );
    const two = await Promise.all(["a.png", "b.png"].map((name) => toFile(picture, name)));
    await refuses(client.images.edit({ image: two, prompt: "a" }), 400, "image");
});

if (key !== "none") {
    await holds("a wrong key is refused", async () => {
        const stranger = new OpenAI({ baseURL: `${base}/v1`, apiKey: "tsr_wrong", maxRetries: 0 });
        await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
    });
}

await holds("who leaves cancels the job", async () => {
    const leaving = new AbortController();
    const fields = { Authorization: `Bearer ${key}` };
    const newest = async () => {
        const answer = await fetch(`${base}/api/v1/jobs?limit=1`, { headers: fields });
        return (await answer.json()).jobs[0];
    };
    const before = (await newest())?.id;
    const call = client.images.generate(
        { prompt: "a castle", model, num_inference_steps: 150 },
        { signal: leaving.signal },
    );
    const ended = assert.rejects(call, OpenAI.APIUserAbortError);
    const until = async (wanted) => {
        for (const start = Date.now(); Date.now() - start < 20_000; ) {
            const job = await newest();
            if (job && job.id !== before && wanted(job)) {
                return job;
            }
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        assert.fail("the job never came so far");
    };
    await until(() => true);
    leaving.abort();
    await ended;
    await until((job) => job.state === "cancelled");
});
