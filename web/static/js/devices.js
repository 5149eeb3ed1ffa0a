/**
 * Camera and microphone of this machine: opened, picked, remembered, reopened when unplugged and plugged in again.
 * One that cannot be opened is said and left out; the call goes on with the other.
 */

/** @typedef {"camera" | "microphone"} DeviceKind */
/** @typedef {"permission" | "missing" | "busy"} DeviceFailure */
/**
 * @typedef {object} DevicesOptions
 * @property {Pick<Storage, "getItem" | "setItem">} memory
 * @property {string} [leaveAlone] part of the label of a camera that is not ours: the document camera opens only once
 * @property {() => void} changed a track came, went or failed
 */

const KINDS = /** @type {const} */ (["camera", "microphone"]);
/** @type {MediaTrackConstraints} people, not papers: the document needs the processor more */
const CAMERA = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30, max: 30 } };
/** @type {MediaTrackConstraints} */
const MICROPHONE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

export class Devices {
  /** @param {DevicesOptions} options */
  constructor(options) {
    this.options = options;
    /** @type {Record<DeviceKind, MediaStreamTrack | null>} */
    this.tracks = { camera: null, microphone: null };
    /** @type {Record<DeviceKind, DeviceFailure | null>} */
    this.failures = { camera: null, microphone: null };
    this.wanted = { camera: false, microphone: false };
    /** Each opening has a number: what comes after a closing is stopped at once. */
    this.opening = 0;
    globalThis.navigator?.mediaDevices?.addEventListener("devicechange", () => void this._again());
  }

  /** Opens both together (one question to the person), else each alone. Never rejects. */
  async open() {
    this.wanted = { camera: true, microphone: true };
    const opening = ++this.opening;
    const missing = KINDS.filter((kind) => !this.tracks[kind]);
    if (missing.length === 2 && await this._open(missing, opening)) return;
    for (const kind of missing) await this._open([kind], opening);
  }

  /** Stops both, so that their lights go out. */
  close() {
    this.opening += 1;
    this.wanted = { camera: false, microphone: false };
    for (const kind of KINDS) this._stop(kind);
    this.options.changed();
  }

  /**
   * The camera is stopped for good when off, so that its light goes out; the microphone only falls silent.
   * @param {DeviceKind} kind
   * @param {boolean} on
   */
  async turn(kind, on) {
    this.wanted[kind] = on;
    const track = this.tracks[kind];
    if (kind === "microphone" && track) track.enabled = on;
    else if (on) await this._open([kind], this.opening);
    else this._stop(kind);
    this.options.changed();
  }

  /** @returns {import("./connection.js").Tracks} */
  get sent() {
    return { audio: this.tracks.microphone, video: this.tracks.camera };
  }

  /** @returns {import("./text.js").Shown} */
  get shown() {
    const broken = KINDS.filter((kind) => this.wanted[kind] && !this.tracks[kind] && this.failures[kind]);
    const seen = { camera: this.tracks.camera !== null, microphone: this.tracks.microphone?.enabled === true };
    return broken.length > 0 ? { ...seen, broken } : seen;
  }

  /** @param {DeviceKind} kind */
  async list(kind) {
    const wanted = kind === "camera" ? "videoinput" : "audioinput";
    const all = await navigator.mediaDevices?.enumerateDevices() ?? [];
    return all.filter((device) => device.kind === wanted && !this._foreign(device.label));
  }

  /**
   * @param {DeviceKind} kind
   * @param {string} id
   */
  async pick(kind, id) {
    this.options.memory.setItem(key(kind), id);
    this._stop(kind);
    await this.turn(kind, true);
  }

  /**
   * @param {readonly DeviceKind[]} kinds
   * @param {number} opening
   */
  async _open(kinds, opening) {
    try {
      const stream = await this._media(kinds);
      const late = opening !== this.opening;
      for (const track of stream.getTracks()) late ? track.stop() : this._keep(track);
      return true;
    } catch (error) {
      for (const kind of kinds) this.failures[kind] = failure(error);
      return false;
    } finally {
      if (opening === this.opening) this.options.changed();
    }
  }

  /** @param {readonly DeviceKind[]} kinds */
  async _media(kinds) {
    if (!navigator.mediaDevices) throw new DOMException("no devices here", "NotAllowedError");
    const stream = await navigator.mediaDevices.getUserMedia({
      video: kinds.includes("camera") && { ...CAMERA, ...this._remembered("camera") },
      audio: kinds.includes("microphone") && { ...MICROPHONE, ...this._remembered("microphone") },
    });
    const [camera] = stream.getVideoTracks();
    if (!camera || !this._foreign(camera.label)) return stream;
    const [own] = await this.list("camera");
    for (const track of stream.getTracks()) track.stop();
    if (!own) throw new DOMException("only the document camera", "NotFoundError");
    this.options.memory.setItem(key("camera"), own.deviceId);
    return navigator.mediaDevices.getUserMedia({
      video: { ...CAMERA, deviceId: { exact: own.deviceId } },
      audio: kinds.includes("microphone") && { ...MICROPHONE, ...this._remembered("microphone") },
    });
  }

  /** @param {DeviceKind} kind */
  _remembered(kind) {
    const id = this.options.memory.getItem(key(kind));
    return id ? { deviceId: { ideal: id } } : {};
  }

  /** @param {MediaStreamTrack} track */
  _keep(track) {
    const kind = track.kind === "video" ? "camera" : "microphone";
    // turned off while it was opening: its light goes out again
    if (kind === "camera" && !this.wanted.camera) return track.stop();
    // two openings at once (unplugging is told twice): one track of a kind, so that closing stops all there is
    this._stop(kind);
    if (kind === "camera") track.contentHint = "motion";
    track.onended = () => this._lost(kind, track);
    this.tracks[kind] = track;
    this.failures[kind] = null;
    track.enabled = this.wanted[kind];
  }

  /**
   * @param {DeviceKind} kind
   * @param {MediaStreamTrack} track
   */
  _lost(kind, track) {
    if (this.tracks[kind] !== track) return;
    this.tracks[kind] = null;
    this.failures[kind] = "missing";
    this.options.changed();
    void this._again();
  }

  /** A device was plugged in or out: what is wanted and not there is tried again. */
  async _again() {
    for (const kind of KINDS) {
      if (this.wanted[kind] && !this.tracks[kind]) await this._open([kind], this.opening);
    }
  }

  /** @param {DeviceKind} kind */
  _stop(kind) {
    this.tracks[kind]?.stop();
    this.tracks[kind] = null;
  }

  /** @param {string} label */
  _foreign(label) {
    const { leaveAlone } = this.options;
    return Boolean(leaveAlone) && label.includes(String(leaveAlone));
  }
}

/** @param {DeviceKind} kind */
function key(kind) {
  return `etapalvelu.${kind}`;
}

/**
 * @param {unknown} error
 * @returns {DeviceFailure}
 */
function failure(error) {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "permission";
  return name === "NotReadableError" || name === "AbortError" ? "busy" : "missing";
}
