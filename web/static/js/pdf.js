/**
 * A PDF of captured pages, written in the browser: each page in its true size, its JPEG embedded as it is, nothing else in
 * it. No text layer, no names, no dates (ISO 32000-1). Bytes in, bytes out.
 */

/**
 * @typedef {object} PdfPage
 * @property {Uint8Array} jpeg
 * @property {number} turn clockwise, 0, 90, 180 or 270
 * @property {{ width: number, height: number }} size in points, before the turn
 */

const POINTS_PER_INCH = 72;
const POINTS_PER_MM = POINTS_PER_INCH / 25.4;
/** @typedef {{ width: number, height: number }} Size */
/** Upright sheets, mm. @type {readonly (readonly [number, number])[]} */
const FORMATS = [[210, 297], [148, 210], [53.98, 85.6]];
/** A measured sheet that differs from a format by at most this share is of that format. */
const ALIKE = 0.04;
/** Viewers print nothing larger. */
const MOST_POINTS = 14_400;
/** Markers of a JPEG that begin its frame (ITU-T T.81, table B.1): all SOF but DHT, JPG and DAC. */
const FRAME = (/** @type {number} */ marker) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
const SPACES = /** @type {Record<number, string>} */ ({ 1: "/DeviceGray", 3: "/DeviceRGB" });

export class NoJpegError extends Error {}

/**
 * The size on paper, in points, of a picture of so many pixels. With `ppi` it is the sheet's own, and a format when it comes
 * near one; without, it is the format of that shape, or whatever fits into an A4.
 * @param {{ width: number, height: number, ppi: number | null }} picture
 * @returns {Size}
 */
export function paperSize({ width, height, ppi }) {
  const upright = height >= width;
  const [short, long] = upright ? [width, height] : [height, width];
  const inches = ppi ? [short / ppi, long / ppi] : null;
  const format = FORMATS.find(([across, down]) => {
    const ratio = (long * across) / (short * down);
    const near = inches ? Math.abs((inches[1] ?? 0) * 25.4 / down - 1) <= ALIKE : true;
    return Math.abs(ratio - 1) <= ALIKE && near;
  });
  const [a4Short, a4Long] = [210 * POINTS_PER_MM, 297 * POINTS_PER_MM];
  const fit = Math.min(a4Short / short, a4Long / long);
  const [across, down] = format
    ? [format[0] * POINTS_PER_MM, format[1] * POINTS_PER_MM]
    : inches
      ? [(inches[0] ?? 0) * POINTS_PER_INCH, (inches[1] ?? 0) * POINTS_PER_INCH]
      : [short * fit, long * fit];
  const shrink = Math.min(1, MOST_POINTS / down);
  return upright ? { width: across * shrink, height: down * shrink } : { width: down * shrink, height: across * shrink };
}

/**
 * @param {PdfPage[]} pages
 * @returns {Uint8Array}
 */
export function pdf(pages) {
  const file = new Writer();
  file.text("%PDF-1.4\n%\u00e2\u00e3\u00cf\u00d3\n");
  const kids = pages.map((_, index) => `${3 + index * 3} 0 R`).join(" ");
  file.object(1, "<< /Type /Catalog /Pages 2 0 R >>");
  file.object(2, `<< /Type /Pages /Count ${pages.length} /Kids [${kids}] >>`);
  pages.forEach((page, index) => writePage(file, page, 3 + index * 3));
  file.end(1);
  return file.bytes();
}

/**
 * @param {Writer} file
 * @param {PdfPage} page
 * @param {number} number of the page's object; its content and its picture follow
 */
function writePage(file, { jpeg, turn, size }, number) {
  const { width, height, components } = frameOf(jpeg);
  const space = SPACES[components];
  if (space === undefined) throw new NoJpegError("a picture of so many colours is not known");
  const [across, down] = [points(size.width), points(size.height)];
  const drawing = `q ${across} 0 0 ${down} 0 0 cm /Page Do Q`;
  file.object(number, `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${across} ${down}] /Rotate ${turn} `
    + `/Resources << /XObject << /Page ${number + 2} 0 R >> >> /Contents ${number + 1} 0 R >>`);
  file.object(number + 1, `<< /Length ${drawing.length} >>`, drawing);
  file.object(number + 2, `<< /Type /XObject /Subtype /Image /Width ${width} /Height ${height} /ColorSpace ${space} `
    + `/BitsPerComponent 8 /Filter /DCTDecode /Length ${jpeg.length} >>`, jpeg);
}

/** @param {number} value */
function points(value) {
  return String(Math.round(value * 100) / 100);
}

/**
 * What a JPEG says of itself.
 * @param {Uint8Array} jpeg
 * @returns {{ width: number, height: number, components: number }}
 */
export function frameOf(jpeg) {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  if (view.byteLength < 4 || view.getUint16(0) !== 0xffd8) throw new NoJpegError("not a JPEG");
  for (let at = 2; at + 10 <= view.byteLength; at += 2 + view.getUint16(at + 2)) {
    if (view.getUint8(at) !== 0xff) break;
    if (!FRAME(view.getUint8(at + 1))) continue;
    return { height: view.getUint16(at + 5), width: view.getUint16(at + 7), components: view.getUint8(at + 9) };
  }
  throw new NoJpegError("a JPEG without a frame");
}

/** Puts objects one after the other and remembers where each begins. */
class Writer {
  constructor() {
    /** @type {Uint8Array[]} */
    this.parts = [];
    this.length = 0;
    /** @type {number[]} by number, from 1 */
    this.places = [];
  }

  /** @param {string} words one byte a character */
  text(words) {
    this.raw(Uint8Array.from(words, (character) => character.charCodeAt(0)));
  }

  /** @param {Uint8Array} bytes */
  raw(bytes) {
    this.parts.push(bytes);
    this.length += bytes.length;
  }

  /**
   * @param {number} number
   * @param {string} dictionary
   * @param {string | Uint8Array} [stream]
   */
  object(number, dictionary, stream) {
    this.places[number] = this.length;
    this.text(`${number} 0 obj\n${dictionary}\n`);
    if (stream !== undefined) {
      this.text("stream\n");
      if (typeof stream === "string") this.text(stream);
      else this.raw(stream);
      this.text("\nendstream\n");
    }
    this.text("endobj\n");
  }

  /** @param {number} root */
  end(root) {
    const begin = this.length;
    const lines = this.places.slice(1).map((place) => `${String(place).padStart(10, "0")} 00000 n \n`);
    this.text(`xref\n0 ${lines.length + 1}\n0000000000 65535 f \n${lines.join("")}`);
    this.text(`trailer\n<< /Size ${lines.length + 1} /Root ${root} 0 R >>\nstartxref\n${begin}\n%%EOF\n`);
  }

  bytes() {
    const whole = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}
