// Just enough of PNG to make and to recognise one.
import zlib from "node:zlib";

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

function chunk(type, data) {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
}

function crc32(bytes) {
    let crc = ~0;
    for (const byte of bytes) {
        crc ^= byte;
        for (let i = 0; i < 8; ++i) {
            crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }
    return ~crc >>> 0;
}

/** An RGBA picture; `pixel(x, y)` gives four values from 0 to 255. */
export function makePng(width, height, pixel) {
    const header = Buffer.alloc(13);
    header.writeUInt32BE(width, 0);
    header.writeUInt32BE(height, 4);
    header.set([8, 6, 0, 0, 0], 8);
    const rows = [];
    for (let y = 0; y < height; ++y) {
        rows.push(0);
        for (let x = 0; x < width; ++x) {
            rows.push(...pixel(x, y));
        }
    }
    return Buffer.concat([
        signature,
        chunk("IHDR", header),
        chunk("IDAT", zlib.deflateSync(Buffer.from(rows))),
        chunk("IEND", Buffer.alloc(0)),
    ]);
}

/** Width and height, or null when it is no PNG. */
export function pngSize(bytes) {
    if (!bytes.subarray(0, 8).equals(signature)) {
        return null;
    }
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}
