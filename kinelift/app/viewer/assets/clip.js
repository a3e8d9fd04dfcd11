/** The recording in the page: frame times, people, joints in the world (metres, y up, floor at 0), angles, actions. */

const TYPES = { int8: Int8Array, int16: Int16Array, int32: Int32Array, float64: Float64Array };
const UNKNOWN = { int16: -(2 ** 15), int32: -(2 ** 31) };
/** Frames are found by times that a player may have rounded (s). */
const TOLERANCE = 5e-4;
export const STATES = ["unseen", "interpolated", "seen"];
const UNSEEN = 0;

/** Read the recording that the page holds. */
export async function readClip() {
  const header = JSON.parse(document.getElementById("clip").textContent);
  const packed = await fromBase64(document.getElementById("arrays").textContent);
  return new Clip(header, (reference) => unpack(packed, reference));
}

class Clip {
  constructor(header, unpacked) {
    Object.assign(this, header);
    this.times = unpacked(header.times);
    this.people = header.people.map((person) => new Person(person, unpacked));
  }

  get duration() {
    return this.times.at(-1) ?? 0;
  }

  get last() {
    return Math.max(this.times.length - 1, 0);
  }

  /** The index of the frame that is shown at a time (s). */
  frameAt(time) {
    let [low, high] = [0, this.last];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.times[middle] <= time + TOLERANCE) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** A time well inside a frame (s), to which a video can be set whatever it rounds to. */
  insideOf(frame) {
    const start = this.times[frame];
    const length = frame < this.last ? this.times[frame + 1] - start : 0.02;
    return start + Math.min(length / 2, 0.1);
  }

  /** The number that the video gives to the frame of this index. */
  frameNumber(frame) {
    return frame * this.step;
  }
}

class Person {
  constructor(header, unpacked) {
    Object.assign(this, header);
    this.name = `Person ${header.id}`;
    this.actions ??= [];
    this.length = 0;
    if (!header.poses) return;
    Object.assign(this, header.poses);
    this.points = unpacked(header.poses.points);
    this.states = unpacked(header.poses.states);
    this.length = header.poses.points.shape[2];
    this.angles = header.poses.angles.map((angle) => ({
      ...angle,
      degrees: unpacked(angle.degrees),
      states: unpacked(angle.states),
    }));
  }

  /** The row of a frame in the arrays; -1 if the person is not there. */
  rowOf(frame) {
    const row = frame - this.first;
    return row >= 0 && row < this.length ? row : -1;
  }

  /** The place of a joint, written into ``out`` ({x, y, z}), or null if it is not known. */
  point(row, joint, out) {
    const at = 3 * joint * this.length + row;
    if (this.points[at] === UNKNOWN.int32) return null;
    out.x = this.points[at] / 1000;
    out.y = this.points[at + this.length] / 1000;
    out.z = this.points[at + 2 * this.length] / 1000;
    return out;
  }

  /** What a joint rests on: an index into ``STATES``, or -1 if that was not computed. */
  state(row, joint) {
    return this.states[joint * this.length + row];
  }

  isGuess(row, joint) {
    return this.state(row, joint) === UNSEEN;
  }

  actionAt(time) {
    return this.actions.find((action) => action.start <= time && time < action.end);
  }
}

/** An angle in degrees; NaN if it is not known. */
export function degreesAt(angle, row) {
  const value = angle.degrees[row];
  return row < 0 || value === undefined || value === UNKNOWN.int16 ? NaN : value / 10;
}

export function angleIsGuess(angle, row) {
  return angle.states[row] === UNSEEN;
}

async function fromBase64(text) {
  const zipped = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Undo ``Packing.add``: put the byte planes together, then add up the differences along the last axis. */
function unpack(packed, { type, shape, offset }) {
  const Type = TYPES[type];
  const length = shape.reduce((product, side) => product * side, 1);
  const values = new Type(length);
  const bytes = new Uint8Array(values.buffer);
  for (let plane = 0; plane < Type.BYTES_PER_ELEMENT; plane++) {
    const start = offset + plane * length;
    for (let i = 0; i < length; i++) bytes[i * Type.BYTES_PER_ELEMENT + plane] = packed[start + i];
  }
  const rows = shape.at(-1);
  if (type !== "float64") {
    for (let i = 0; i < length; i++) if (i % rows) values[i] += values[i - 1];
  }
  return values;
}
