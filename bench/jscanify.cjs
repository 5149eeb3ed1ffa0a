// Finds paper with jscanify for bench.find_page: reads lines `PATH WIDTH HEIGHT` (a file of raw RGBA), answers each with
// `{"corners": [[x, y] x 4] | null, "ms": number}`. Run as `node jscanify.cjs FOLDER`, the folder of its unpacked package.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");

const folder = path.resolve(process.argv[2]);

function found(scanner, cv, line) {
  const [file, width, height] = line.split(" ");
  const picture = new cv.Mat(Number(height), Number(width), cv.CV_8UC4);
  picture.data.set(fs.readFileSync(file));
  const start = process.hrtime.bigint();
  const contour = scanner.findPaperContour(picture);
  const points = contour ? scanner.getCornerPoints(contour, picture) : {};
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  picture.delete();
  const four = [points.topLeftCorner, points.topRightCorner, points.bottomRightCorner, points.bottomLeftCorner];
  return { corners: four.every(Boolean) ? four.map((point) => [point.x, point.y]) : null, ms };
}

function serve(cv) {
  globalThis.cv = cv;
  const Scanner = require(path.join(folder, "src", "jscanify.js"));
  const scanner = new Scanner();
  const lines = readline.createInterface({ input: process.stdin });
  lines.on("line", (line) => process.stdout.write(JSON.stringify(found(scanner, cv, line)) + "\n"));
  lines.on("close", () => process.exit(0));
}

// An old build of OpenCV hands over itself when it is ready; awaiting it would never end.
require(path.join(folder, "src", "opencv.js")).then((cv) => {
  delete cv.then;
  serve(cv);
});
