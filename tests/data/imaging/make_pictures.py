#!/usr/bin/env python3
"""Makes the pictures of this folder with Pillow (9.4, Debian 12): files that Tessera does not write
itself, and what another program finds in them. Run it here; the files are then committed.
"""
import struct
import zlib

from PIL import Image, PngImagePlugin

PARAMETERS = """masterpiece, a castle on a hill, (oil painting:1.2),
<lora:detail:0.6>
Negative prompt: blurry, (worst quality, low quality:1.4)
Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 965400086, Size: 512x768, \
Model hash: 45dee52b, Model: v1-5-pruned, Denoising strength: 0.7, Clip skip: 2, \
Lora hashes: "detail: 7c6bad76eb54, other: 0a1b2c3d4e5f", Version: v1.9.4"""
CHINESE = "雪山，日出 🏔\nNegative prompt: 模糊\nSteps: 20, Sampler: Euler a, CFG scale: 7"


def gradient(mode, width=24, height=16):
    """Smooth, with no two corners alike, so that turning and mirroring show."""
    picture = Image.new("RGBA", (width, height))
    for y in range(height):
        for x in range(width):
            picture.putpixel((x, y), (x * 10, y * 15, 255 - x * 5, 55 + y * 10))
    return picture.convert(mode)


def chunk(name, data):
    body = name + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png(width, height, depth, colour, rows):
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def s15(value):
    return struct.pack(">i", round(value * 65536))


def swapped_profile():
    """An RGB profile whose red and green change places; all else is sRGB's (linear for brevity)."""
    xyz = {b"gXYZ": (0.4361, 0.2225, 0.0139), b"rXYZ": (0.3851, 0.7169, 0.0971),
           b"bXYZ": (0.1431, 0.0606, 0.7141), b"wtpt": (0.9642, 1.0, 0.8249)}
    tags = {name: b"XYZ \0\0\0\0" + b"".join(map(s15, value)) for name, value in xyz.items()}
    # Parametric curve type 3: sRGB's own.
    curve = b"para\0\0\0\0\0\3\0\0" + b"".join(
        map(s15, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)))
    tags.update({b"rTRC": curve, b"gTRC": curve, b"bTRC": curve})
    tags[b"desc"] = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"swap\0" + bytes(78)
    tags[b"cprt"] = b"text\0\0\0\0none\0\0\0\0"
    at = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        value += bytes(-len(value) % 4)
        table += name + struct.pack(">II", at + len(data), len(value))
        data += value
    header = (struct.pack(">I4sI", at + len(data), b"none", 0x02400000) + b"mntrRGB XYZ "
              + bytes(12) + b"acsp" + bytes(28) + s15(0.9642) + s15(1.0) + s15(0.8249) + bytes(48))
    return header + table + data


def main():
    rgb = gradient("RGB")
    rgb.save("gradient.png")
    gradient("L").save("grey.png")
    gradient("LA").save("grey_alpha.png")
    gradient("RGBA").save("alpha.webp", lossless=True)
    palette = rgb.quantize(16)
    palette.save("palette.png")
    palette.save("palette_alpha.png", transparency=bytes([0, 128] + [255] * 14))
    rgb.convert("CMYK").save("cmyk.jpg", quality=95)
    gradient("L").save("grey.jpg", quality=95)
    rgb.save("progressive.jpg", quality=95, progressive=True)
    # 16 bits: the high byte is the gradient's, the low byte is noise that must not matter.
    rows = b"".join(
        b"\0" + b"".join(struct.pack(">HHHH", x * 10 * 257, y * 15 * 257, 40000, (55 + y * 10) * 257)
                         for x in range(24)) for y in range(16))
    open("rgba16.png", "wb").write(png(24, 16, 16, 6, rows))
    rows = b"".join(b"\0" + b"".join(struct.pack(">H", x * 10 * 257) for x in range(24)) for _ in range(16))
    open("grey16.png", "wb").write(png(24, 16, 16, 0, rows))
    open("bomb.png", "wb").write(png(50000, 50000, 8, 2, bytes(64)))
    rgb.save("swapped_profile.png", icc_profile=swapped_profile())
    rgb.save("broken_profile.png", icc_profile=b"no profile at all" * 20)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        rgb.save(f"orientation_{orientation}.jpg", quality=98, subsampling=0, exif=exif)
    frames = [Image.new("RGB", (20, 10), colour) for colour in ((250, 0, 0), (0, 250, 0))]
    frames[0].save("animated.webp", save_all=True, append_images=frames[1:], lossless=True)

    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", PARAMETERS)
    rgb.save("a1111.png", pnginfo=info)
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", CHINESE)
    rgb.save("a1111_chinese.png", pnginfo=info)
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", PARAMETERS, zip=True)
    info.add_itxt("chinese", CHINESE, zip=True)
    rgb.save("compressed_texts.png", pnginfo=info)
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", " " * (40 << 20), zip=True)
    rgb.save("text_bomb.png", pnginfo=info)
    # What piexif.helper.UserComment.dump(text, encoding="unicode") gives, as A1111 does.
    exif = Image.Exif()
    exif[0x8769] = {0x9286: b"UNICODE\0" + CHINESE.encode("utf-16-be")}
    rgb.save("a1111_chinese.jpg", quality=95, exif=exif)
    rgb.save("a1111_chinese.webp", quality=95, exif=exif)

    rgb.save("refused.gif")
    rgb.save("refused.tiff")
    rgb.save("refused.pdf")

    alpha = gradient("RGBA")
    for name, size in (("down", (7, 5)), ("up", (61, 40)), ("mixed", (48, 4))):
        rgb.resize(size, Image.Resampling.LANCZOS).save(f"pillow_{name}.png")
        alpha.resize(size, Image.Resampling.LANCZOS).save(f"pillow_{name}_alpha.png")


if __name__ == "__main__":
    main()
