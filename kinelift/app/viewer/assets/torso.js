/** A trunk: a skin over rings from the hips to the shoulders. */
import * as THREE from "three";

const AROUND = 20;
/** Each ring: place from hips (0) to shoulders (1), half width as a share of that of hips and shoulders, depth in metres. */
const RINGS = [
  [-0.1, 0.62, 0.07],
  [-0.02, 1.18, 0.105],
  [0.14, 1.2, 0.112],
  [0.38, 0.98, 0.098],
  [0.66, 0.98, 0.112],
  [0.86, 0.94, 0.1],
  [1.0, 0.82, 0.066],
  [1.07, 0.4, 0.045],
];
const JOINTS = ["left_hip", "right_hip", "left_shoulder", "right_shoulder"];

export class Torso {
  /** The trunk of a skeleton that has hips and shoulders, otherwise null. */
  static of(joints, size, paint) {
    const indices = JOINTS.map((name) => joints.indexOf(name));
    return indices.includes(-1) ? null : new Torso(indices, joints.indexOf("spine"), size, paint);
  }

  constructor(corners, spine, size, paint) {
    Object.assign(this, { corners, spine, size, paint });
    this.points = new THREE.BufferAttribute(new Float32Array(3 * AROUND * RINGS.length), 3);
    const geometry = new THREE.BufferGeometry().setAttribute("position", this.points).setIndex(skin());
    this.mesh = new THREE.Mesh(geometry, paint.seen);
    this.mesh.frustumCulled = false;
  }

  place(known, guess) {
    this.mesh.visible = this.corners.every((joint) => known[joint]);
    if (!this.mesh.visible) return;
    const guessed = this.corners.some(guess);
    this.mesh.material = guessed ? this.paint.guess : this.paint.seen;
    this.mesh.castShadow = !guessed;
    this.#shape(...this.corners.map((joint) => known[joint]), known[this.spine]);
    this.points.needsUpdate = true;
    this.mesh.geometry.computeVertexNormals();
  }

  #shape(leftHip, rightHip, leftShoulder, rightShoulder, spine) {
    const between = (a, b) => a.clone().add(b).multiplyScalar(0.5);
    const [hips, shoulders] = [between(leftHip, rightHip), between(leftShoulder, rightShoulder)];
    const bend = spine ? spine.clone().sub(between(hips, shoulders)) : new THREE.Vector3();
    const [low, high] = [leftHip.clone().sub(rightHip), leftShoulder.clone().sub(rightShoulder)];
    const up = shoulders.clone().sub(hips);
    RINGS.forEach(([at, share, depth], ring) => {
      const t = Math.min(Math.max(at, 0), 1);
      const across = low.clone().lerp(high, t);
      const width = (share * across.length()) / 2 + 0.012 * this.size;
      const middle = hips.clone().addScaledVector(up, at).addScaledVector(bend, 4 * t * (1 - t) * 0.6);
      this.#ring(ring, middle, across.normalize().multiplyScalar(width), up, depth * this.size);
    });
  }

  #ring(ring, middle, across, up, depth) {
    const ahead = across.clone().cross(up).normalize().multiplyScalar(depth);
    for (let k = 0; k < AROUND; k++) {
      const angle = (2 * Math.PI * k) / AROUND;
      const [c, s] = [rounded(Math.cos(angle)), rounded(Math.sin(angle))];
      this.points.setXYZ(
        ring * AROUND + k,
        middle.x + c * across.x + s * ahead.x,
        middle.y + c * across.y + s * ahead.y,
        middle.z + c * across.z + s * ahead.z,
      );
    }
  }
}

/** Makes a circle a little squarer, as trunks are. */
function rounded(value) {
  return Math.sign(value) * Math.abs(value) ** 0.85;
}

/** The triangles between rings, and those that close both ends. */
function skin() {
  const index = [];
  for (let ring = 0; ring + 1 < RINGS.length; ring++) {
    for (let k = 0; k < AROUND; k++) {
      const [a, b] = [ring * AROUND + k, ring * AROUND + ((k + 1) % AROUND)];
      index.push(a, a + AROUND, b, b, a + AROUND, b + AROUND);
    }
  }
  const top = (RINGS.length - 1) * AROUND;
  for (let k = 1; k + 1 < AROUND; k++) index.push(0, k, k + 1, top, top + k + 1, top + k);
  return index;
}
