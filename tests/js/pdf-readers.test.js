/** What other people's programs make of our PDF. `page.jpg` is a page as the room agent sends it. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { paperSize, pdf } from "../../web/static/js/pdf.js";

const PAGE = new Uint8Array(readFileSync(new URL("./page.jpg", import.meta.url)));

/** @param {(folder: string, file: string) => void} look */
function read(look) {
  const folder = mkdtempSync(join(tmpdir(), "pdf-"));
  const file = join(folder, "pages.pdf");
  try {
    const size = paperSize({ width: 200, height: 283, ppi: 24 });
    writeFileSync(file, pdf([{ jpeg: PAGE, turn: 0, size }, { jpeg: PAGE, turn: 90, size }, { jpeg: PAGE, turn: 270, size }]));
    look(folder, file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("poppler reads true sizes, turns and nothing about anybody", () => {
  read((_folder, file) => {
    const told = execFileSync("pdfinfo", ["-l", "3", file], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
    const facts = Object.fromEntries(told.trim().split("\n").map((line) => line.split(/:\s+/, 2)));

    const pages = [1, 2, 3].map((page) => [facts[`Page    ${page} size`], facts[`Page    ${page} rot`]]);
    assert.deepEqual(pages, [["595.28 x 841.89 pts (A4)", "0"], ["595.28 x 841.89 pts (A4)", "90"], ["595.28 x 841.89 pts (A4)", "270"]]);
    const personal = ["Title", "Author", "Creator", "Producer", "CreationDate", "ModDate"].filter((name) => name in facts);
    assert.deepEqual(personal, []);
  });
});

test("poppler takes the very JPEG out again, and finds no text", () => {
  read((folder, file) => {
    execFileSync("pdfimages", ["-all", file, join(folder, "image")]);
    const text = execFileSync("pdftotext", [file, "-"], { encoding: "utf8" });

    const images = readdirSync(folder).filter((name) => name.startsWith("image")).sort();
    assert.deepEqual(images, ["image-000.jpg", "image-001.jpg", "image-002.jpg"]);
    for (const image of images) assert.deepEqual(new Uint8Array(readFileSync(join(folder, image))), PAGE);
    assert.equal(text.trim(), "");
  });
});

test("a page is drawn over the whole sheet", () => {
  read((folder, file) => {
    execFileSync("pdftoppm", ["-r", "24", "-gray", file, join(folder, "drawn")]);
    const sizes = readdirSync(folder).filter((name) => name.startsWith("drawn")).sort()
      .map((name) => readFileSync(join(folder, name), "latin1").split(/\s+/, 4).slice(0, 3));

    assert.deepEqual(sizes, [["P5", "199", "281"], ["P5", "281", "199"], ["P5", "281", "199"]]);
  });
});
