/** Saving stills on this machine: a download, and nothing anywhere else. File names say what it is and when, never whose. */

import { paperSize, pdf } from "../pdf.js";
import { say } from "./page.js";

/** @typedef {{ still: import("../stills.js").Still, turn: number }} Leaf one page of a PDF */

/** A browser may still be reading what was handed to it. */
const READ_MS = 10_000;

/**
 * The picture as it came: its bytes are those in the log.
 * @param {import("../stills.js").Still} still
 * @param {number} number
 */
export function saveJpeg(still, number) {
  const word = say(still.part === "raw" ? "tray.file_raw" : "tray.file");
  download(still.blob, `${word}-${number}-${today()}.jpg`);
}

/**
 * @param {Leaf[]} leaves
 * @param {number | null} number of the only page; null for several
 */
export async function savePdf(leaves, number) {
  const pages = await Promise.all(leaves.map(async ({ still, turn }) => (
    { jpeg: new Uint8Array(await still.blob.arrayBuffer()), turn, size: paperSize(still) })));
  const name = [say(number === null ? "tray.file_many" : "tray.file"), ...(number === null ? [] : [number]), today()].join("-");
  download(new Blob([/** @type {BlobPart} */ (pdf(pages))], { type: "application/pdf" }), `${name}.pdf`);
}

/** The day as it is here, for the file is for who sits here. */
function today() {
  const now = new Date();
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), READ_MS);
}
